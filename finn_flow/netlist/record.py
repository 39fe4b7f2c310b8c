"""What `netlist.json` may hold: types and names are checked before anything is done with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from finn_flow.netlist.structure import Identifier, Instance, Loop, Module, ModuleKind, Node, OptionalIdentifier, Stream
from finn_flow.transformations.interface import InputForm, OutputForm

FORMAT = 2

_PART_OF_PATH = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
MOST_CHARACTERS = 200
"""Of the path of a file inside a netlist."""
InnerFile = Annotated[
    str, StringConstraints(pattern=rf"^{_PART_OF_PATH}(/{_PART_OF_PATH})*$", max_length=MOST_CHARACTERS)
]
"""A file below the netlist's folder: not absolute, no `..`, nothing that a script or a list of files takes apart."""
Part = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")]
Nanoseconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class ModuleRecord:
    """A `Module` whose streams are a list."""

    name: Identifier
    kind: ModuleKind
    what: str
    loop: OptionalIdentifier
    inputs: tuple[Identifier, ...]
    outputs: tuple[Identifier, ...]
    streams: tuple[Stream, ...]
    instances: tuple[Instance, ...]

    def module(self) -> Module:
        """Return the module.

        Raises
        ------
        ValueError
            Two streams of one name, or a port without a stream.
        """
        streams = {stream.name: stream for stream in self.streams}
        if len(streams) != len(self.streams) or not {*self.inputs, *self.outputs} <= set(streams):
            raise ValueError(f"the streams of {self.name} are not those of its ports, each once")
        return Module(self.name, self.kind, self.what, self.loop, self.inputs, self.outputs, streams, self.instances)


@dataclass(frozen=True)
class NetlistRecord:
    """The whole file; see `Netlist`."""

    format: Literal[2]
    top: Identifier
    sources: tuple[InnerFile, ...]
    data_files: tuple[InnerFile, ...]
    modules: tuple[ModuleRecord, ...]
    loops: tuple[Loop, ...]
    nodes: tuple[Node, ...]
    given: InputForm
    results: tuple[OutputForm, ...]
    fpgapart: Part
    clk_ns: Nanoseconds
    versions: dict[str, str]

    @classmethod
    def from_json(cls, text: bytes) -> NetlistRecord:
        """Return what the file's text says.

        Raises
        ------
        ValueError
            Something is missing, of another type, a name that is none, twice or nowhere.
        """
        record = _adapter().validate_json(text, strict=True)
        names = [module.name for module in record.modules]
        if record.top not in names or len(set(names)) != len(names):
            raise ValueError("the modules are not the top and others, each once")
        loops = {loop.name for loop in record.loops}
        if not {node.loop for node in record.nodes} <= {"", *loops}:
            raise ValueError("a node is in a loop that is not there")
        return record


@cache
def _adapter() -> TypeAdapter[NetlistRecord]:
    return TypeAdapter(NetlistRecord)
