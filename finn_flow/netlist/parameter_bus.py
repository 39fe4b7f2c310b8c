"""The bus that joins nodes with writable parameters to the accelerator's one AXI4-Lite port."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import custom_ops
from custom_ops.requantisation.writable import BUS_FROM_NODES, BUS_TO_NODES
from finn_flow.netlist.structure import Instance, Module, Stream

PORT = "s_axi_control"
"""Prefix of the AXI4-Lite port's signals."""
CORE = "parameter_port"
_OPS = Path(custom_ops.__file__).parent
SOURCES = tuple(
    _OPS / name
    for name in ("parameter_port/rtl/parameter_port.sv", "rtl_common/stream_queue.sv", "rtl_common/stream_checker.sv")
)
_SIGNALS = (
    ("awaddr", 7, True),
    ("awvalid", 1, True),
    ("awready", 1, False),
    ("wdata", 32, True),
    ("wstrb", 4, True),
    ("wvalid", 1, True),
    ("wready", 1, False),
    ("bresp", 2, False),
    ("bvalid", 1, False),
    ("bready", 1, True),
    ("araddr", 7, True),
    ("arvalid", 1, True),
    ("arready", 1, False),
    ("rdata", 32, False),
    ("rresp", 2, False),
    ("rvalid", 1, False),
    ("rready", 1, True),
)


def is_on_bus(instance: Instance) -> bool:
    """Whether an instance has parameters that are written."""
    return BUS_TO_NODES.name in instance.tied


def is_bus_port(name: str) -> bool:
    """Whether a port of an instance belongs to the bus."""
    return name in (BUS_TO_NODES.name, BUS_FROM_NODES.name)


def bus_ports() -> str:
    """Return the ports of a module below the top."""
    return (
        f"    input  wire [{BUS_TO_NODES.bits - 1}:0] {BUS_TO_NODES.name},\n"
        f"    output wire [{BUS_FROM_NODES.bits - 1}:0] {BUS_FROM_NODES.name}"
    )


def axi_ports() -> str:
    """Return the ports of the top."""
    return ",\n".join(
        f"    {'input ' if is_input else 'output'} wire {f'[{bits - 1}:0] ' if bits > 1 else ''}{PORT}_{name}"
        for name, bits, is_input in _SIGNALS
    )


def axi_inputs() -> list[str]:
    """Return the top's inputs among them."""
    return [f"{PORT}_{name}" for name, _, is_input in _SIGNALS if is_input]


def instance_rows(instance: Instance) -> list[str]:
    """Return the connections of an instance to the bus."""
    return [
        f".{BUS_TO_NODES.name}({BUS_TO_NODES.name})",
        f".{BUS_FROM_NODES.name}({instance.name}_{BUS_FROM_NODES.name})",
    ]


def joined(instances: Sequence[Instance], is_top: bool) -> str:
    """Return what joins the answers of a module's instances: those that are not asked give 0."""
    width = f"[{BUS_FROM_NODES.bits - 1}:0]"
    names = [f"{instance.name}_{BUS_FROM_NODES.name}" for instance in instances]
    lines = [f"    wire {width} {name};" for name in names]
    if is_top:
        lines += [
            f"    wire {width} {BUS_FROM_NODES.name};",
            f"    wire [{BUS_TO_NODES.bits - 1}:0] {BUS_TO_NODES.name};",
        ]
    return "\n".join([*lines, f"    assign {BUS_FROM_NODES.name} = {' | '.join(names)};"]) + "\n"


def gated(port: str) -> list[str]:
    """Return the names of TDATA, TVALID and TREADY of the top's input behind the gate."""
    return [f"{port}_gated_{signal}" for signal in ("tdata", "tvalid", "tready")]


def port_instance(module: Module, source: Stream, sink: Stream) -> str:
    """Return the instance of the port in the top, between its input and the first node."""
    entry, leave = module.port_of(source.name), module.port_of(sink.name)
    tdata, tvalid, tready = gated(entry)
    tied = ("wstrb", "bresp", "rresp")
    rows = [".clk(ap_clk)", ".rst(!ap_rst_n)"]
    rows += [f".s_axi_{name}({PORT}_{name})" for name, _, _ in _SIGNALS if name not in tied]
    rows += [f".s_axis_{signal.lower()}({entry}_{signal})" for signal in ("TDATA", "TVALID", "TREADY")]
    rows += [f".m_axis_tdata({tdata})", f".m_axis_tvalid({tvalid})", f".m_axis_tready({tready})"]
    rows += [f".left({leave}_TVALID && {leave}_TREADY)"]
    rows += [f".{port.name}({port.name})" for port in (BUS_TO_NODES, BUS_FROM_NODES)]
    body = ",\n".join(f"        {row}" for row in rows)
    parameters = f".DATA_WIDTH({source.tdata_bits}), .IN_WORDS({source.words}), .OUT_WORDS({sink.words})"
    return (
        f"    // Parameters are written here; frames pass a gate, so that none sees them change.\n"
        f"    assign {PORT}_bresp = 2'b00;\n    assign {PORT}_rresp = 2'b00;\n"
        f"    wire [{source.tdata_bits - 1}:0] {tdata};\n    wire {tvalid}, {tready};\n"
        f"    {CORE} #({parameters}) parameters (\n{body}\n    );\n"
    )
