"""What a netlist consists of: modules with streams between instances. Everything here goes into `netlist.json`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

# What is read from a file must be of these kinds, because it ends up in Verilog, in scripts and in names of files.
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
OptionalIdentifier = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\r\n]*$")]
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
ModuleKind = Literal["top", "body", "loop", "cells"]

INDEX = "index"
"""Prefix of the streams that carry a loop's iteration number."""


@dataclass(frozen=True)
class Stream:
    """One AXI4-Stream between two instances, or between an instance and a port of the module.

    Parameters
    ----------
    name
        Prefix of its wires; unique in its module.
    tensor
        The graph's tensor that it carries.
    shape
        Normal shape of one frame.
    datatype
        QONNX name of the elements' type.
    bits
        Bits of an element.
    pe
        Elements of a word, element 0 in the least significant bits.
    producer, consumer
        Instances; "" is the module's own port.
    """

    name: Identifier
    tensor: str
    shape: tuple[Positive, ...]
    datatype: str
    bits: Positive
    pe: Positive
    producer: OptionalIdentifier
    consumer: OptionalIdentifier

    @property
    def words(self) -> int:
        """Words of a frame."""
        return math.prod(self.shape) // self.pe

    @property
    def width_bits(self) -> int:
        """Bits of a word that carry something."""
        return self.pe * self.bits

    @property
    def tdata_bits(self) -> int:
        """Bits of TDATA: whole bytes."""
        return 8 * math.ceil(self.width_bits / 8)


@dataclass(frozen=True)
class Instance:
    """One instance of a module.

    Parameters
    ----------
    name
        Name of the instance; that of the node.
    module
        Name of the module.
    op_type
        The node's; "" for a part of a node.
    connections
        Name of the stream at each stream port ("in0_V": ...).
    lower_case
        Stream ports whose signals are written in lower case ("m_axis_0_tdata").
    clocks
        Further inputs that carry the clock ("ap_clk2x" of a module that is not clocked twice as fast).
    has_clock2x
        Whether `ap_clk2x` is the fast clock.
    tied
        Width of each further input; these are 0.
    open_outputs
        Further outputs.
    """

    name: Identifier
    module: Identifier
    op_type: OptionalIdentifier = ""
    connections: dict[Identifier, Identifier] = field(default_factory=dict)
    lower_case: tuple[Identifier, ...] = ()
    clocks: tuple[Identifier, ...] = ()
    has_clock2x: bool = False
    tied: dict[Identifier, Positive] = field(default_factory=dict)
    open_outputs: tuple[Identifier, ...] = ()


@dataclass(frozen=True)
class Module:
    """A generated module: streams and instances, with ports `in0_V`, ..., `out0_V`, ...

    Parameters
    ----------
    name
        Name of the module.
    kind
        "top" (the outer graph), "body" (of a loop), "loop" (control and body) or "cells" (the parts of one node).
    what
        One line for its header.
    loop
        Name of the loop whose body, or body and control, it is; else "".
    inputs, outputs
        Names of the streams at its ports, in order.
    """

    name: Identifier
    kind: ModuleKind
    what: Line
    loop: OptionalIdentifier
    inputs: tuple[Identifier, ...]
    outputs: tuple[Identifier, ...]
    streams: dict[Identifier, Stream]
    instances: tuple[Instance, ...]

    @property
    def path(self) -> str:
        """Its source file, relative to the netlist's folder."""
        return f"nodes/{self.name}.v" if self.kind == "cells" else f"{self.name}.v"

    @property
    def has_clock2x(self) -> bool:
        """Whether it has a port `ap_clk2x`."""
        return any(instance.has_clock2x for instance in self.instances)

    def port_of(self, stream: str) -> str:
        """Return the name of the port that `stream` is connected to."""
        if stream in self.inputs:
            return f"in{self.inputs.index(stream)}_V"
        return f"out{self.outputs.index(stream)}_V"


@dataclass(frozen=True)
class Loop:
    """What is known of a looped stage: the modules it is made of are `name` and `name`_body."""

    name: Identifier
    iterations: Positive
    frames_in_flight: Positive
    body_ii_cycles: Positive


@dataclass(frozen=True)
class Node:
    """A node of the graph.

    Parameters
    ----------
    name, op_type
        The graph's.
    module
        Module of its instance.
    loop
        The loop whose body it is in, "" for the outer graph.
    cycles
        Expected cycles per frame; per pass inside a loop.
    fifo_depth
        Depth of a FIFO in words, else 0.
    """

    name: Identifier
    op_type: Identifier
    module: Identifier
    loop: OptionalIdentifier
    cycles: NotNegative
    fifo_depth: NotNegative = 0
