"""The ports of a verilated model, and the generated C++ that joins them to the harness."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from finn_flow.templates import fill_template
from finn_flow.verilator.design import Design, StreamPort
from finn_flow.verilator.errors import SimulationBuildError

TEMPLATE = Path(__file__).with_name("model.cpp.in")
_PORT = re.compile(r"VL_(IN|OUT|INOUT)(?:8|16|64|W)?\(&(\w+),(\d+),(\d+)(?:,\d+)?\);")
_PLACEHOLDER = re.compile(r"@([A-Z0-9_]+)@")


@dataclass(frozen=True)
class VerilatedPort:
    """A port of the top module: its C++ name, direction and width in bits."""

    member: str
    is_input: bool
    width_bits: int


def read_verilated_ports(header: str) -> dict[str, VerilatedPort]:
    """Return the ports that Verilator's top header declares, by their Verilog names."""
    return {
        member.replace("___05F", "__"): VerilatedPort(member, direction == "IN", int(left) - int(right) + 1)
        for direction, member, left, right in _PORT.findall(header)
    }


def render_model(design: Design, ports: dict[str, VerilatedPort]) -> str:
    """Return the C++ source that joins the model of `design` to the harness.

    Raises
    ------
    SimulationBuildError
        A port does not exist, or has another direction or width.
    """

    def member(name: str, is_input: bool) -> str:
        return _checked(design.top, ports, name, is_input, width_bits=1).member

    def number(name: str, is_input: bool) -> str:
        port = _checked(design.top, ports, name, is_input, width_bits=None)
        if port.width_bits > 64:
            raise SimulationBuildError(f"{design.top}: port {name} must have at most 64 bits, not {port.width_bits}")
        return port.member

    def signals(streams: Sequence[StreamPort], is_input: bool) -> str:
        rows = []
        for stream in streams:
            data = _data_port(design.top, ports, stream, is_input)
            valid, ready = member(stream.tvalid, is_input), member(stream.tready, not is_input)
            rows.append(f"{{(uint8_t*)&dut.{data.member}, {stream.word_bytes}, &dut.{valid}, &dut.{ready}}}")
        return ", ".join(rows)

    probes = [
        f"if (index == {index}) return dut.{number(name, is_input=False)};" for index, name in enumerate(design.probes)
    ]

    def constant(name: str, value: int) -> str:
        port = _checked(design.top, ports, name, is_input=True, width_bits=None)
        if port.width_bits > 64 and value == 0:
            return f"for (auto& word : dut.{port.member}.m_storage) word = 0;"
        return f"dut.{number(name, is_input=True)} = {value}ULL;"

    constants = [constant(name, value) for name, value in design.constants.items()]
    return fill_template(
        TEMPLATE,
        {
            "TOP": design.top,
            "INPUT_COUNT": str(len(design.inputs)),
            "OUTPUT_COUNT": str(len(design.outputs)),
            "INPUT_SIGNALS": signals(design.inputs, is_input=True),
            "OUTPUT_SIGNALS": signals(design.outputs, is_input=False),
            "CONSTANTS": " ".join(constants),
            "PROBES": " ".join(probes),
            "CLOCK": member(design.clock, is_input=True),
            "HAS_CLOCK2X": "1" if design.clock2x else "0",
            "CLOCK2X": member(design.clock2x, is_input=True) if design.clock2x else "",
            "RESET": member(design.reset, is_input=True),
            "RESET_LEVEL": "false" if design.reset_active_low else "true",
        },
    )


def _data_port(top: str, ports: dict[str, VerilatedPort], stream: StreamPort, is_input: bool) -> VerilatedPort:
    """Return the stream's TDATA port, which may be padded to whole bytes."""
    port = _checked(top, ports, stream.tdata, is_input, width_bits=None)
    if port.width_bits not in (stream.width_bits, stream.word_bytes * 8):
        raise SimulationBuildError(
            f"{top}: {stream.tdata} must be {stream.width_bits} bits wide as stream {stream.name} says, "
            f"or padded to {stream.word_bytes * 8}, not {port.width_bits}"
        )
    return port


def _checked(
    top: str, ports: dict[str, VerilatedPort], name: str, is_input: bool, width_bits: int | None
) -> VerilatedPort:
    """Return the port `name`, of the given direction and width."""
    port = ports.get(name)
    if port is None:
        raise SimulationBuildError(f"{top}: there is no port {name}; the ports are {', '.join(sorted(ports))}")
    if port.is_input != is_input:
        raise SimulationBuildError(f"{top}: port {name} must be an {'input' if is_input else 'output'}")
    if width_bits is not None and port.width_bits != width_bits:
        raise SimulationBuildError(f"{top}: port {name} must have width {width_bits}, not {port.width_bits}")
    return port
