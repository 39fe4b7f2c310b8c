"""Cycle-accurate simulation of AXI4-Stream designs with Verilator; the one system tool it needs is a C++ compiler."""

from finn_flow.simulation.build import lint
from finn_flow.simulation.design import Design, StreamPort
from finn_flow.simulation.errors import SimulationBuildError, SimulationError, SimulationHang, StuckStream
from finn_flow.simulation.model import Simulation
from finn_flow.simulation.run import SimulationResult, StreamResult, simulate
from finn_flow.simulation.stall import Stall
from finn_flow.simulation.words import pack, unpack

__all__ = [
    "Design",
    "Simulation",
    "SimulationBuildError",
    "SimulationError",
    "SimulationHang",
    "SimulationResult",
    "Stall",
    "StreamPort",
    "StreamResult",
    "StuckStream",
    "lint",
    "pack",
    "simulate",
    "unpack",
]
