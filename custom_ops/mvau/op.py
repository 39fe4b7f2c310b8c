"""FINN's matrix-vector unit with a read-only weight memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finn.custom_op.fpgadataflow.rtl.matrixvectoractivation_rtl import MVAU_rtl
from onnx import NodeProto
from qonnx.custom_op.registry import getCustomOp

from custom_ops.base import OPS_FOLDER
from custom_ops.fifo_memory import resolve_ram_style
from custom_ops.streams import Stream
from custom_ops.wrapper import wrapper_source

_CORE = "weight_rom"
_SOURCES = ("rtl_common/stream_checker.sv", "mvau/rtl/weight_rom.sv")
_WEIGHT_FILE = "memblock.dat"
"""What FINN calls the memory file, one word of PE x SIMD weights per line."""
_NOT_CONSTANT = ("runtime_writeable_weights", "pumpedMemory", "mlo_max_iter", "bodies")
"""Attributes with which weights are written, exchanged or read at twice the clock."""


class ConstantMVAU(MVAU_rtl):
    """An `MVAU_rtl` node whose weights come from a ROM, or are constants if they fill one word only.

    FINN streams the weights of `mem_mode="internal_decoupled"` from a memory with a write port and an output queue of
    eight words, though without `runtime_writeable_weights` nothing writes it. The ROM has neither. It gives a word
    in every cycle as FINN's does, from the second cycle after reset on, and heeds `ram_style`.

    It is not a node type of its own: FINN's node stays in the graph, and `generating_op` makes this of it when hardware
    is generated.
    """

    @staticmethod
    def covers(op: Any) -> bool:
        """Return whether a node is an `MVAU_rtl`, not a tiled one, with weights beside it that never change."""
        return (
            isinstance(op, MVAU_rtl)
            and op.get_nodeattr("mem_mode") == "internal_decoupled"
            and op.get_nodeattr("ram_style") != "ultra"
            and op.get_nodeattr("TH") == 1
            and not any(op.get_nodeattr(name) for name in _NOT_CONSTANT)
        )

    @property
    def weights_module(self) -> str:
        """Name of the generated module that gives the weights."""
        return f"{self.onnx_node.name}_weights"

    def generate_infra_hdl(self, fpgapart: str) -> None:
        """Write the module that gives the weights; a single word is a parameter of it, not a file."""
        folder = Path(self.get_nodeattr("code_gen_dir_ipgen"))
        depth = int(self.calc_wmem())
        elements = self.get_nodeattr("PE") * self.get_nodeattr("SIMD")
        stream = Stream(1, (depth, elements), self.get_input_datatype(1), elements, "m_axis")
        parameters: dict[str, int | str] = {"DATA_WIDTH": stream.width_bits, "DEPTH": depth}
        if depth == 1:
            file = folder / _WEIGHT_FILE
            parameters["WORD"] = f"{stream.width_bits}'h{file.read_text().strip()}"
            file.unlink()
        else:
            parameters["MEMORY_FILE"] = f'"{folder / _WEIGHT_FILE}"'
            style = resolve_ram_style(self.get_nodeattr("ram_style"), stream.width_bits, depth)
            parameters["ROM_STYLE"] = f'"{style}"'
        source = wrapper_source(self.weights_module, _CORE, parameters, [], [stream])
        (folder / f"{self.weights_module}.v").write_text(source)

    def code_generation_ipi(self) -> list[str]:
        """Return the Tcl that makes a hierarchy of the matrix-vector unit and its weights in a block design."""
        name = self.onnx_node.name
        folder = Path(self.get_nodeattr("code_gen_dir_ipgen"))
        interfaces = self.get_verilog_top_module_intf_names()
        streams = {"Slave": interfaces["s_axis"][0][0], "Master": interfaces["m_axis"][0][0]}
        pins = {"clk": [*interfaces["clk"], *interfaces.get("clk2x", [])], "rst": interfaces["rst"]}
        commands = [f"create_bd_cell -type hier {name}"]
        commands += [f"create_bd_pin -dir I -type {kind} /{name}/{pin}" for kind in pins for pin in pins[kind]]
        commands += [
            f"create_bd_intf_pin -mode {mode} -vlnv xilinx.com:interface:axis_rtl:1.0 /{name}/{stream}"
            for mode, stream in streams.items()
        ]
        self.instantiate_ip(commands)
        weights = f"{name}/{self.weights_module}"
        files = [*(OPS_FOLDER / source for source in _SOURCES), folder / f"{self.weights_module}.v"]
        commands += [f"add_files -norecurse {file}" for file in files]
        commands.append(f"create_bd_cell -type hier -reference {self.weights_module} /{weights}")
        commands += [
            f"connect_bd_net [get_bd_pins {name}/{pin}] [get_bd_pins {cell}/{pin}]"
            for cell in (f"{name}/{name}", weights)
            for pin in (interfaces["clk"][0], interfaces["rst"][0])
        ]
        commands += [
            f"connect_bd_intf_net [get_bd_intf_pins {first}] [get_bd_intf_pins {name}/{name}/{port}]"
            for first, port in (
                (f"{weights}/out0_V", "in1_V"),
                *((f"{name}/{stream}", stream) for stream in streams.values()),
            )
        ]
        return [*commands, "save_bd_design"]


def generating_op(node: NodeProto) -> Any:
    """Return the instance that generates the hardware of a node: its own, or that of a `ConstantMVAU`."""
    op = getCustomOp(node)
    return ConstantMVAU(node) if ConstantMVAU.covers(op) else op
