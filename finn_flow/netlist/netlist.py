"""A netlist: the folder `rtl/` of a build and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build_folder import GRAPH_FILE, NETLIST_FILE
from finn_flow.errors import UserError
from finn_flow.netlist import parameter_bus
from finn_flow.netlist.emit import ADJUSTABLE_FIFO, PACER, SETTINGS, Emitter, Instruments, count_name, tap_name
from finn_flow.netlist.record import FORMAT, NetlistRecord
from finn_flow.netlist.structure import Loop, Module, Node, Stream
from finn_flow.transformations.interface import InputForm, OutputForm
from finn_flow.verilator import Design, StreamPort

SOURCES = "sources.f"
PIPELINE_CYCLES = 100
"""More than any node's pipeline holds a word."""
INSTRUMENT_SOURCES = tuple(Path(__file__).parent / "rtl" / f"{module}.sv" for module in (ADJUSTABLE_FIFO, PACER))


@dataclass(frozen=True)
class Netlist:
    """What `netlist.json` holds, and where it was found.

    Parameters
    ----------
    folder
        The folder with all files; it may be moved.
    top
        Name of the top module; its streams are `in0_V`, ... and `out0_V`, ...
    sources
        Verilog and SystemVerilog files relative to `folder`, in an order in which tools can read them.
    data_files
        Memory files relative to `folder`; `$readmemh` names them without any folder.
    modules
        The generated hierarchy by module name.
    loops
        The looped stages by name.
    nodes
        All nodes of the graph and of the loop bodies by name.
    given
        How the codes at the input come from the given model's input.
    results
        How the integers of the last layers stand for the given model's outputs, in order.
    fpgapart, clk_ns
        What the nodes were generated for.
    versions
        Versions of the packages that made it.
    """

    folder: Path
    top: str
    sources: tuple[str, ...]
    data_files: tuple[str, ...]
    modules: dict[str, Module]
    loops: dict[str, Loop]
    nodes: dict[str, Node]
    given: InputForm
    results: tuple[OutputForm, ...]
    fpgapart: str
    clk_ns: float
    versions: dict[str, str]

    @classmethod
    def load(cls, folder: Path) -> Netlist:
        """Read the netlist in `folder`.

        Raises
        ------
        UserError
            There is none, it is damaged, or files of it are missing.
        """
        path = Path(folder) / NETLIST_FILE
        if not path.is_file():
            raise UserError(f"{folder} holds no netlist ({NETLIST_FILE} is missing); make one with `dsode build`")
        try:
            record = NetlistRecord.from_json(path.read_bytes())
            modules = {entry.name: entry.module() for entry in record.modules}
        except ValidationError as error:
            first = error.errors()[0]
            what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise UserError(f"{path} is damaged or of another version ({what}); run `dsode build` again") from error
        except ValueError as error:
            raise UserError(f"{path} is damaged or of another version ({error}); run `dsode build` again") from error
        netlist = cls(
            folder=Path(folder),
            top=record.top,
            sources=record.sources,
            data_files=record.data_files,
            modules=modules,
            loops={loop.name: loop for loop in record.loops},
            nodes={node.name: node for node in record.nodes},
            given=record.given,
            results=record.results,
            fpgapart=record.fpgapart,
            clk_ns=record.clk_ns,
            versions=record.versions,
        )
        netlist._check_files()
        return netlist

    def _check_files(self) -> None:
        """Every file is there, and inside the folder, wherever links lead."""
        folder = self.folder.resolve()
        for name in (*self.sources, *self.data_files):
            path = self.folder / name
            if not path.is_file():
                raise UserError(f"{self.folder} is not complete: {name} is missing; run `dsode build` again")
            if not path.resolve().is_relative_to(folder):
                raise UserError(f"{path} is a link out of the netlist; run `dsode build` again")

    def to_json(self) -> dict[str, Any]:
        """Return what `netlist.json` holds."""
        return {
            "format": FORMAT,
            "top": self.top,
            "ports": {
                "clock": "ap_clk",
                "clock2x": "ap_clk2x" if self.modules[self.top].has_clock2x else None,
                "reset": "ap_rst_n (active low, synchronous)",
                "inputs": {name: asdict(stream) for name, stream in self.inputs.items()},
                "outputs": {name: asdict(stream) for name, stream in self.outputs.items()},
            },
            "sources": self.sources,
            "data_files": self.data_files,
            "fpgapart": self.fpgapart,
            "clk_ns": self.clk_ns,
            "given": asdict(self.given),
            "results": [asdict(form) for form in self.results],
            "loops": [asdict(loop) for loop in self.loops.values()],
            "nodes": [asdict(node) for node in self.nodes.values()],
            "modules": [
                {**asdict(module), "streams": [asdict(stream) for stream in module.streams.values()]}
                for module in self.modules.values()
            ],
            "versions": self.versions,
        }

    @property
    def inputs(self) -> dict[str, Stream]:
        """The accelerator's input streams by port name."""
        top = self.modules[self.top]
        return {top.port_of(name): top.streams[name] for name in top.inputs}

    @property
    def outputs(self) -> dict[str, Stream]:
        """The accelerator's output streams by port name."""
        top = self.modules[self.top]
        return {top.port_of(name): top.streams[name] for name in top.outputs}

    @property
    def has_writable_parameters(self) -> bool:
        """Whether parameters are written through an AXI4-Lite port."""
        return Emitter(self.modules).has_writable_parameters(self.top)

    def graph(self) -> ModelWrapper:
        """Return the hardware graph, for comparison."""
        return ModelWrapper(str(self.folder / GRAPH_FILE))

    def value_streams(self) -> list[tuple[str, str]]:
        """Return the streams, as (module, stream), that carry the values of the outputs, in the outputs' order.

        Where labels are selected it is the stream into the selection.
        """
        top = self.modules[self.top]
        selecting = {instance.name for instance in top.instances if instance.op_type == "TopK_rtl"}
        into = {stream.consumer: name for name, stream in top.streams.items() if stream.consumer in selecting}
        found = []
        for form, name in zip(self.results, top.outputs, strict=True):
            node = top.streams[name].producer
            while form.labels and node not in into:  # a FIFO behind the selection
                node = next(stream.producer for stream in top.streams.values() if stream.consumer == node)
            found.append((top.name, into[node] if form.labels else name))
        return found

    def value_shape(self, output: int) -> tuple[int, ...]:
        """Return the shape [1, H, W, C] of the values of an output."""
        module, name = self.value_streams()[output]
        return self.modules[module].streams[name].shape

    def graph_streams(self) -> dict[tuple[str, str], Stream]:
        """Return all streams between nodes as (module, stream), the outer graph's first, in graph order."""
        graphs = [module for module in self.modules.values() if module.kind in ("top", "body")]
        graphs.sort(key=lambda module: module.kind != "top")
        return {(module.name, name): stream for module in graphs for name, stream in module.streams.items()}

    def passes(self, module: str) -> int:
        """Return how often a frame goes through the streams of a module."""
        loop = self.modules[module].loop
        return self.loops[loop].iterations if self.modules[module].kind == "body" else 1

    @property
    def expected_cycles_per_frame(self) -> int:
        """Cycles per frame of the slowest node, from the nodes' own estimates; loops count with all their passes."""
        return max(node.cycles for node in self.nodes.values() if not node.loop)

    @property
    def patience_cycles(self) -> int:
        """Cycles without a transfer at any port after which the accelerator hangs: no frame is inside for longer.

        Between its last input word and its first output word a frame may be anywhere, and a node holds it for no longer
        than its cycles per frame (and some for its pipeline and its FIFO); in a loop, in every pass, with as many other
        frames between as the loop holds.
        """
        total = 0
        for node in self.nodes.values():
            loop = self.loops.get(node.loop)
            turns = 1 if loop is None else loop.iterations * loop.frames_in_flight
            total += turns * (node.cycles + node.fifo_depth + PIPELINE_CYCLES)
        return total

    def fifos(self) -> list[Node]:
        """Return the FIFO nodes."""
        return [node for node in self.nodes.values() if node.fifo_depth]

    def design(self, instruments: Instruments | None = None, folder: Path | None = None) -> Design:
        """Return what the simulation engine needs.

        Parameters
        ----------
        instruments
            What to add for observation; the modules with additions are then written into `folder`, which must receive
            the file of settings, too, before a simulation, if pacers or adjustable FIFOs are among them.
        """
        paths = {name: self.folder / name for name in self.sources}
        instruments = instruments or Instruments()
        if folder is not None:
            emitter = Emitter(self.modules, instruments)
            for module in self.modules.values():
                paths[module.path] = folder / f"{module.name}.v"
                paths[module.path].write_text(emitter.source(module))
        data_files = [self.folder / name for name in self.data_files]
        if folder is not None and (instruments.pacers or instruments.adjustable_fifos):
            paths.update({source.name: source for source in INSTRUMENT_SOURCES})
            data_files.append(folder / SETTINGS)
        streams = self.graph_streams()
        taps = sorted(instruments.taps)
        return Design(
            top=self.top,
            sources=list(paths.values()),
            inputs=_ports(self.inputs),
            outputs=_ports({**self.outputs, **{tap_name(*key): streams[key] for key in taps}}),
            data_files=data_files,
            clock2x="ap_clk2x" if self.modules[self.top].has_clock2x else None,
            constants=dict.fromkeys(parameter_bus.axi_inputs(), 0) if self.has_writable_parameters else {},
            probes=[count_name(fifo) for fifo in instruments.adjustable_fifos],
        )


def _ports(streams: Mapping[str, Stream]) -> list[StreamPort]:
    return [StreamPort(name, stream.width_bits) for name, stream in streams.items()]
