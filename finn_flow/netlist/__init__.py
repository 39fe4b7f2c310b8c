"""From a hardware graph to a Verilog netlist that simulates, synthesises and can be moved."""

from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.write import write_netlist

__all__ = ["Netlist", "write_netlist"]
