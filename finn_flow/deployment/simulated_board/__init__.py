"""A board without a board: memory, DMA registers and the Verilated accelerator, behind a stand-in for PYNQ."""

from finn_flow.deployment.simulated_board.board import SimulatedBoard
from finn_flow.deployment.simulated_board.fault import Fault

__all__ = ["Fault", "SimulatedBoard"]
