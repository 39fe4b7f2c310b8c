"""Generation of the Verilog wrapper that gives a core FINN's port names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from custom_ops.streams import Stream
from finn_flow.templates import fill_template

TEMPLATE = Path(__file__).parent / "rtl_common" / "wrapper.v.in"


@dataclass(frozen=True)
class PlainPort:
    """A port that belongs to no stream: the wrapper's and the core's have this name."""

    name: str
    bits: int
    is_input: bool


def wrapper_source(
    module: str,
    core: str,
    parameters: Mapping[str, int | str],
    inputs: Sequence[Stream],
    outputs: Sequence[Stream],
    plain: Sequence[PlainPort] = (),
) -> str:
    """Return the source of a module `module` with streams `in0_V`, ..., `out0_V`, ... around `core`.

    Values of `parameters` are integers or Verilog expressions. Streams that share a core port prefix are
    concatenated, the first in the least significant place.
    """
    named = [(f"in{i}_V", stream, True) for i, stream in enumerate(inputs)]
    named += [(f"out{i}_V", stream, False) for i, stream in enumerate(outputs)]
    return fill_template(
        TEMPLATE,
        {
            "MODULE": module,
            "CORE": core,
            "BUS_INTERFACES": ":".join(name for name, _, _ in named),
            "PORTS": ",\n\n".join(
                [*(_ports(name, stream, is_input) for name, stream, is_input in named), *map(_plain_port, plain)]
            ),
            "PADDING": "\n".join(_padding(name, stream) for name, stream, is_input in named if not is_input),
            "PARAMETERS": ",\n".join(f"        .{name}({value})" for name, value in parameters.items()),
            "CONNECTIONS": ",\n".join([*_connections(named), *(f"        .{p.name}({p.name})" for p in plain)]),
        },
    )


def _ports(name: str, stream: Stream, is_input: bool) -> str:
    forward, backward = ("input ", "output") if is_input else ("output", "input ")
    return (
        f"    {forward} wire [{stream.padded_bits - 1}:0] {name}_TDATA,\n"
        f"    {forward} wire {name}_TVALID,\n"
        f"    {backward} wire {name}_TREADY"
    )


def _plain_port(port: PlainPort) -> str:
    return f"    {'input ' if port.is_input else 'output'} wire [{port.bits - 1}:0] {port.name}"


def _padding(name: str, stream: Stream) -> str:
    missing = stream.padded_bits - stream.width_bits
    value = f"{{{missing}'b0, {name}_data}}" if missing else f"{name}_data"
    return f"    wire [{stream.width_bits - 1}:0] {name}_data;\n    assign {name}_TDATA = {value};"


def _connections(named: Sequence[tuple[str, Stream, bool]]) -> list[str]:
    lines = []
    for port in dict.fromkeys(stream.port for _, stream, _ in named):
        members = [entry for entry in named if entry[1].port == port][::-1]
        data = [
            f"{name}_TDATA[{stream.width_bits - 1}:0]" if is_input else f"{name}_data"
            for name, stream, is_input in members
        ]
        for signal, parts in (
            ("tdata", data),
            ("tvalid", [f"{name}_TVALID" for name, _, _ in members]),
            ("tready", [f"{name}_TREADY" for name, _, _ in members]),
        ):
            expression = parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"
            lines.append(f"        .{port}_{signal}({expression})")
    return lines
