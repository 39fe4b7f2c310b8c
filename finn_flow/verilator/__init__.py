"""Cycle-accurate simulation of AXI4-Stream designs with Verilator; the one system tool it needs is a C++ compiler."""

from finn_flow.verilator.build import lint
from finn_flow.verilator.design import Design, StreamPort
from finn_flow.verilator.errors import SimulationBuildError, SimulationError, SimulationHang, StuckStream
from finn_flow.verilator.model import Simulation
from finn_flow.verilator.run import SimulationResult, StreamResult, simulate
from finn_flow.verilator.stall import Stall
from finn_flow.verilator.words import pack, unpack

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
