"""A graph of adders as a pipelined SystemVerilog module with a stream at each end."""

from __future__ import annotations

from collections.abc import Iterator

from custom_ops.constant_matrix.adder_graph import AdderGraph, Term

LEVELS_PER_STAGE = 2
"""Adders one behind the other between two registers."""


def stage_of(level: int) -> int:
    """Return the pipeline stage that computes what has `level` adders behind it; the inputs are stage 0."""
    return -(-level // LEVELS_PER_STAGE)


def latency(graph: AdderGraph) -> int:
    """Return the cycles from inputs to outputs: a register for the inputs and one per stage."""
    return 1 + stage_of(max(graph.levels(), default=0))


def width(low: int, high: int) -> tuple[int, bool]:
    """Return the bits that hold `low` to `high`, and whether one of them is a sign."""
    if low >= 0:
        return max(1, high.bit_length()), False
    return max(high.bit_length(), (-low - 1).bit_length()) + 1, True


def module_source(name: str, graph: AdderGraph, in_bits: int, out_bits: int) -> str:
    """Return a module `name` with ports clk, rst, s_axis and m_axis.

    Parameters
    ----------
    in_bits, out_bits
        Of each input and output, the first in the least significant place.
    """
    return "\n".join(_lines(name, graph, in_bits, out_bits)) + "\n"


def _lines(name: str, graph: AdderGraph, in_bits: int, out_bits: int) -> Iterator[str]:
    inputs, outputs, cycles = len(graph.ranges), len(graph.outputs), latency(graph)
    yield f"""\
/// {outputs} sums of {inputs} inputs times constants: {len(graph.adders)} adders. Generated.
///
/// Latency       {cycles + 2} cycles, the output FIFO included; 1 word per cycle.
`default_nettype none

module {name} (
    input  wire logic clk,
    input  wire logic rst,
    input  wire logic [{inputs * in_bits - 1}:0] s_axis_tdata,
    input  wire logic s_axis_tvalid,
    output logic s_axis_tready,
    output logic [{outputs * out_bits - 1}:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  wire logic m_axis_tready
);

  // v<n>: value n where it is computed; v<n>_<s>: the same in the register behind stage s. An input with no weights but
  // zeros is not read.
  /* verilator lint_off UNUSEDSIGNAL */"""
    stages = [stage_of(level) for level in graph.levels()]
    for number in range(inputs):
        bits, signed = width(*graph.range_of(number))
        yield f"  wire logic {_type(bits, signed)} v{number} = {bits}'(s_axis_tdata[{number * in_bits}+:{in_bits}]);"
    yield from _declared_registers(graph, stages)
    for number, adder in enumerate(graph.adders, inputs):
        bits, signed = width(adder.lowest, adder.highest)
        operands = [_operand(graph, term, stages, stages[number]) for term in (adder.left, adder.right)]
        yield f"  wire logic {_type(bits, signed)} v{number} = {_sum(adder.left, adder.right, operands, bits)};"
    yield from _registers(graph, stages)
    yield f"  /* verilator lint_on UNUSEDSIGNAL */\n\n  wire logic [{outputs * out_bits - 1}:0] result;"
    for number, term in enumerate(graph.outputs):
        value = "'0" if term is None else _at(term, _register(graph, term.value, cycles - 1), out_bits)
        yield f"  assign result[{number * out_bits}+:{out_bits}] = {value};"
    yield f"""
  stream_pipeline #(
      .DATA_WIDTH({outputs * out_bits}),
      .LATENCY({cycles})
  ) pipeline (
      .*
  );
"""
    for side, bits in (("s", inputs * in_bits), ("m", outputs * out_bits)):
        yield f"""\
  stream_checker #(
      .DATA_WIDTH({bits})
  ) check_{side} (
      .tdata({side}_axis_tdata),
      .tvalid({side}_axis_tvalid),
      .tready({side}_axis_tready),
      .*
  );
"""
    yield "endmodule\n\n`default_nettype wire"


def _type(bits: int, signed: bool) -> str:
    return f"{'signed ' if signed else ''}[{bits - 1}:0]"


def _register(graph: AdderGraph, value: int, stage: int) -> str:
    """Return the value in the register behind a stage, as a signed expression."""
    return _signed(graph, value, f"v{value}_{stage}")


def _signed(graph: AdderGraph, value: int, name: str) -> str:
    return name if graph.range_of(value)[0] < 0 else f"$signed({{1'b0, {name}}})"


def _operand(graph: AdderGraph, term: Term, stages: list[int], stage: int) -> str:
    """Return a term's value, signed and without its shift, as stage `stage` sees it."""
    if stages[term.value] == stage:
        return _signed(graph, term.value, f"v{term.value}")
    return _register(graph, term.value, stage - 1)


def _at(term: Term, value: str, bits: int) -> str:
    """Return a term's value, with its shift and sign."""
    shifted = f"({bits}'({value}) <<< {term.shift})" if term.shift else f"{bits}'({value})"
    return f"-{shifted}" if term.negative else shifted


def _sum(left: Term, right: Term, operands: list[str], bits: int) -> str:
    first, second = _at(left, operands[0], bits), _at(right, operands[1], bits)
    if left.negative:
        return f"{second} - {first[1:]}"
    return f"{first} - {second[1:]}" if right.negative else f"{first} + {second}"


def last_stages(graph: AdderGraph) -> dict[int, int]:
    """Return, of every value that is read behind a register, the last stage behind which one is needed."""
    stages = [stage_of(level) for level in graph.levels()]
    needed: dict[int, int] = {}
    for number, adder in enumerate(graph.adders, len(graph.ranges)):
        for term in (adder.left, adder.right):
            if stages[term.value] < stages[number]:
                needed[term.value] = max(needed.get(term.value, 0), stages[number] - 1)
    for output in graph.outputs:
        if output is not None:
            needed[output.value] = latency(graph) - 1
    return needed


def _declared_registers(graph: AdderGraph, stages: list[int]) -> Iterator[str]:
    """Declare the registers, which adders read that come before the process that writes them."""
    for value, end in sorted(last_stages(graph).items()):
        bits, signed = width(*graph.range_of(value))
        names = ", ".join(f"v{value}_{stage}" for stage in range(stages[value], end + 1))
        yield f"  logic {_type(bits, signed)} {names};"


def _registers(graph: AdderGraph, stages: list[int]) -> Iterator[str]:
    yield "\n  always_ff @(posedge clk) begin"
    for value, end in sorted(last_stages(graph).items()):
        for stage in range(stages[value], end + 1):
            before = f"v{value}" if stage == stages[value] else f"v{value}_{stage - 1}"
            yield f"    v{value}_{stage} <= {before};"
    yield "  end"
