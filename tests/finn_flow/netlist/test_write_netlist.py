"""The written folder: complete, readable, the same every time, and free of places; and the graphs that are refused."""

import copy
import json
import re
import shutil
from pathlib import Path

import finn
import numpy as np
import pytest
from onnx import TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.basic import qonnx_make_model

from custom_ops.hardware import DOMAIN
from finn_flow.errors import FlowError, UserError
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.netlist import Netlist, write_netlist
from finn_flow.simulation.accelerator import SimulatedAccelerator
from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.verilator import Stall
from tests.finn_flow.netlist.one_block import CLOCK_NS, PART, one_block
from tests.places import ROOT


def all_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_folder_is_complete() -> None:
    netlist = one_block().netlist
    files = all_files(netlist.folder)
    assert {*netlist.sources, *netlist.data_files, "sources.f", "netlist.json", "graph.onnx"} == set(files)
    assert files["sources.f"].decode().split() == list(netlist.sources)
    assert {name.split("/")[0] for name in files if "/" in name} == {"data", "lib", "nodes"}
    assert Netlist.load(netlist.folder) == netlist


def test_packages_come_first() -> None:
    netlist = one_block().netlist
    has_package = [bool(re.search(r"^package ", (netlist.folder / s).read_text(), re.M)) for s in netlist.sources]
    assert has_package == sorted(has_package, reverse=True)
    assert any(has_package)


def test_no_file_names_a_place() -> None:
    block = one_block()
    packages = Path(finn.__file__).parents[1]
    places = [
        str(block.folder),
        str(Path.home()) + "/",
        str(packages),
        str(ROOT),
        "netlist_",
        "/tmp",
    ]
    for name, content in all_files(block.netlist.folder).items():
        for place in places:
            assert place.encode() not in content, f"{name} names {place}"


def test_memory_files_are_named_without_a_folder() -> None:
    netlist = one_block().netlist
    names = {Path(name).name for name in netlist.data_files}
    generated = [netlist.folder / name for name in netlist.sources if name.startswith("nodes/")]
    named = {found for path in generated for found in re.findall(r'"([^"]*\.dat)"', path.read_text())}
    assert named
    assert named <= names


def test_writing_again_gives_the_same_bytes(tmp_path) -> None:
    block = one_block()
    before = block.sized.model.SerializeToString()
    write_netlist(block.sized, tmp_path / "again", PART, CLOCK_NS)
    assert block.sized.model.SerializeToString() == before
    assert all_files(tmp_path / "again") == all_files(block.netlist.folder)


def test_one_instance_per_node_named_by_it() -> None:
    block = one_block()
    netlist = block.netlist
    (loop,) = loops(block.sized)
    graphs = {netlist.top: block.sized, f"{loop.name}_body": loop_body(loop)}
    for module, graph in graphs.items():
        names = [instance.name for instance in netlist.modules[module].instances]
        assert names == [node.name for node in graph.graph.node]
        source = (netlist.folder / f"{module}.v").read_text()
        for node in graph.graph.node:
            assert re.search(rf"^    \w+ {node.name} \($", source, re.M)
            assert netlist.nodes[node.name].op_type == node.op_type
            for tensor in node.output:
                assert f"// {tensor}: " in source
    assert netlist.modules[netlist.top].instances[0].module == "FMPadding_rtl_0"


def test_top_has_finns_port_names() -> None:
    netlist = one_block().netlist
    ports = json.loads((netlist.folder / "netlist.json").read_text())["ports"]
    assert list(ports["inputs"]) == ["in0_V"]
    assert list(ports["outputs"]) == ["out0_V"]
    assert (ports["clock"], ports["clock2x"]) == ("ap_clk", None)
    source = (netlist.folder / f"{netlist.top}.v").read_text()
    for signal in ("in0_V_TDATA", "in0_V_TVALID", "in0_V_TREADY", "out0_V_TDATA", "ap_clk", "ap_rst_n"):
        assert re.search(rf"(in|out)put +wire .*\b{signal}\b", source)


def test_several_cells_become_a_module() -> None:
    netlist = one_block().netlist
    module = netlist.modules["MVAU_rtl_0_cells"]
    assert [instance.module for instance in module.instances] == ["MVAU_rtl_0", "MVAU_rtl_0_weights"]
    unit, weights = module.instances
    assert unit.clocks == ("ap_clk2x",)
    assert weights.connections == {"out0_V": unit.connections["in1_V"]}


def test_folder_without_netlist_is_refused(tmp_path) -> None:
    with pytest.raises(UserError, match=r"holds no netlist \(netlist.json is missing\); make one with `dsode build`"):
        Netlist.load(tmp_path)
    (tmp_path / "netlist.json").write_text("{")
    with pytest.raises(UserError, match="is damaged or of another version"):
        Netlist.load(tmp_path)
    (tmp_path / "netlist.json").write_text('{"format": 0}')
    with pytest.raises(UserError, match="is damaged or of another version"):
        Netlist.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"sources": [', '"sources": ["../../x.sv", ', "sources.0: String should match pattern"),
        ('"sources": [', '"sources": ["/etc/passwd", ', "sources.0: String should match pattern"),
        ('"sources": [', '"sources": ["a b.sv", ', "sources.0: String should match pattern"),
        ('"sources": [', '"sources": ["a;exec rm.sv", ', "sources.0: String should match pattern"),
        ('"data_files": [', '"data_files": ["data/../../x.dat", ', "data_files.0: String should match pattern"),
        ('"data_files": [', '"data_files": ["x.dat\\n/etc/passwd", ', "data_files.0: String should match pattern"),
        ('"top": "accelerator"', '"top": "accelerator; exec ls"', "top: String should match pattern"),
        ('"top": "accelerator"', '"top": "other"', "the modules are not the top and others, each once"),
        ('"name": "accelerator"', '"name": "[exec ls]"', r"modules.\d+.name: String should match pattern"),
        ('"kind": "top"', '"kind": "tip"', r"modules.\d+.kind: Input should be"),
        ('"clk_ns": 5.0', '"clk_ns": 0', "clk_ns: Input should be greater than 0"),
        ('"clk_ns": 5.0', '"clk_ns": NaN', "clk_ns: Input should be a finite number"),
        ('"clk_ns": 5.0', '"clk_ns": "5"', "clk_ns: Input should be a valid number"),
        ('"iterations": 2', '"iterations": 0', r"loops.0.iterations: Input should be greater than"),
        (
            '"inputs": [\n        "global_in"',
            '"inputs": [\n        "x"',
            r"the streams of \w+ are not those of its ports",
        ),
        ('"fpgapart": "', '"fpgapart": "$', "fpgapart: String should match pattern"),
    ],
)
def test_what_is_no_name_is_refused_when_it_is_loaded(old, new, what, tmp_path) -> None:
    """What a netlist names is copied, listed, and written into scripts."""
    folder = one_block().copy(tmp_path / "build") / "rtl"
    text = (folder / "netlist.json").read_text()
    assert old in text
    (folder / "netlist.json").write_text(text.replace(old, new))
    with pytest.raises(UserError, match=rf"is damaged or of another version \({what}.*\); run `dsode build` again"):
        Netlist.load(folder)


def test_links_out_of_the_folder_are_refused(tmp_path) -> None:
    folder = one_block().copy(tmp_path / "build") / "rtl"
    name = one_block().netlist.data_files[0]
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is a link out of the netlist"):
        Netlist.load(folder)


def test_missing_file_is_named(tmp_path) -> None:
    folder = one_block().copy(tmp_path / "build") / "rtl"
    name = one_block().netlist.data_files[0]
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"is not complete: {name} is missing"):
        Netlist.load(folder)


# Graphs that cannot be joined up


def forks(edges: list[tuple[str, list[str]]], outputs: list[str], pe: dict[str, int], names=None) -> ModelWrapper:
    """Return a graph of Fork nodes: (input, outputs) each; a channel pair of UINT4."""
    common = {"NumChannels": 2, "numInputVectors": [1, 2, 2], "inputDataType": "UINT4"}
    nodes = [
        helper.make_node(
            "Fork_rtl",
            [source],
            copies,
            name=names[i] if names else f"Fork_{i}",
            domain=DOMAIN,
            backend="fpgadataflow",
            NumOutputs=len(copies),
            PE=pe.get(source, 1),
            **common,
        )
        for i, (source, copies) in enumerate(edges)
    ]
    tensors = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 2, 2, 2)) for name in ["x", *outputs]}
    inner = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 2, 2, 2))
        for _, copies in edges
        for name in copies
        if name not in outputs
    ]
    graph = helper.make_graph(nodes, "forks", [tensors["x"]], [tensors[name] for name in outputs], value_info=inner)
    model = ModelWrapper(qonnx_make_model(graph))
    for name in model.get_all_tensor_names():
        model.set_tensor_datatype(name, DataType["UINT4"])
    return model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param(
            lambda: forks([("x", ["a", "b"]), ("a", ["c", "d"]), ("a", ["e", "f"])], ["b", "c", "d", "e", "f"], {}),
            "tensor a must have exactly one reader in hardware, not Fork_1, Fork_2; use InsertForks",
            id="two readers",
        ),
        pytest.param(
            lambda: forks([("x", ["a", "b"])], ["a"], {}),
            "tensor b must have exactly one reader in hardware, not none",
            id="no reader",
        ),
        pytest.param(
            lambda: forks([("x", ["a", "b"]), ("a", ["c", "d"])], ["a", "b", "c", "d"], {}),
            "output a must not be read by Fork_1 as well; use InsertForks",
            id="output read",
        ),
        pytest.param(
            lambda: forks([("x", ["a", "b"]), ("a", ["c", "d"])], ["b", "c", "d"], {"a": 2}),
            r"stream a: Fork_0 has 1 x 2 x 2 x 2 UINT4 in words of 1, but Fork_1 has .* in words of 2; "
            "use InsertWidthConverters",
            id="widths",
        ),
        pytest.param(
            lambda: forks([("x", ["a", "b"]), ("a", ["c", "d"])], ["b", "c", "d"], {}, ["F", "F"]),
            "two nodes are called F; use NameNodes",
            id="names",
        ),
        pytest.param(
            lambda: forks([("x", ["a", "b"])], ["a", "b"], {}, ["a-b"]),
            "node name 'a-b' cannot be the name of a module",
            id="odd name",
        ),
        pytest.param(
            lambda: forks([("x", ["a", "b"])], ["a", "b"], {}, ["stream_queue"]),
            "module stream_queue is declared in",
            id="name of a library module",
        ),
    ],
)
def test_refused_graphs(model, message, tmp_path) -> None:
    ensure_finn()
    with pytest.raises(FlowError, match=message):
        write_netlist(model(), tmp_path / "rtl", PART, CLOCK_NS)
    assert not (tmp_path / "rtl").exists()


def test_old_files_go(tmp_path) -> None:
    ensure_finn()
    model = forks([("x", ["a", "b"])], ["a", "b"], {}, ["First"])
    write_netlist(model, tmp_path, PART, CLOCK_NS)
    assert (tmp_path / "nodes" / "First.v").exists()
    write_netlist(forks([("x", ["a", "b"])], ["a", "b"], {}, ["Second"]), tmp_path, PART, CLOCK_NS)
    assert [path.name for path in (tmp_path / "nodes").iterdir()] == ["Second.v"]


def matrix(mw: int, mh: int, pe: int) -> ModelWrapper:
    """Return a matrix-vector unit alone, with all inputs at once."""
    node = helper.make_node(
        "MVAU_rtl",
        ["x", "w"],
        ["y"],
        name="MVAU_rtl_0",
        domain=DOMAIN,
        backend="fpgadataflow",
        MW=mw,
        MH=mh,
        SIMD=mw,
        PE=pe,
        inputDataType="INT4",
        weightDataType="INT4",
        outputDataType="INT12",
        noActivation=1,
        mem_mode="internal_decoupled",
        numInputVectors=[1, 5, 4],
        exec_mode="cppsim",
    )
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 5, 4, mw))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 5, 4, mh))
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "matrix", [x], [y])))
    model.set_initializer("w", np.random.default_rng(1).integers(-7, 8, (mw, mh)).astype(np.float32))
    for name, datatype in (("x", "INT4"), ("w", "INT4"), ("y", "INT12")):
        model.set_tensor_datatype(name, DataType[datatype])
    return model


@pytest.mark.parametrize(("mw", "mh", "pe"), [(9, 4, 1), (4, 2, 2)])
def test_full_speed_matrix_unit_survives_backpressure(mw, mh, pe, tmp_path) -> None:
    ensure_finn()
    model = matrix(mw, mh, pe)
    netlist = write_netlist(model, tmp_path, PART, CLOCK_NS)
    frames = np.random.default_rng(2).integers(-8, 8, (20, 5, 4, mw))
    expected = frames @ model.get_initializer("w").astype(np.int64)
    with SimulatedAccelerator(netlist) as accelerator:
        for seed in range(3):
            run = accelerator.run(frames, stall=Stall.random(0.2, 0.5, seed, burst_cycles=10), drain_cycles=50)
            np.testing.assert_array_equal(run.outputs["out0_V"], expected)
            assert run.result.streams["out0_V"].surplus_words == 0


def test_folder_can_be_moved(tmp_path) -> None:
    ensure_finn()
    model = matrix(4, 2, 2)
    write_netlist(copy.deepcopy(model), tmp_path / "first", PART, CLOCK_NS)
    shutil.move(tmp_path / "first", tmp_path / "second")
    frames = np.random.default_rng(3).integers(-8, 8, (2, 5, 4, 4))
    with SimulatedAccelerator(Netlist.load(tmp_path / "second")) as accelerator:
        run = accelerator.run(frames)
    np.testing.assert_array_equal(run.outputs["out0_V"], frames @ model.get_initializer("w").astype(np.int64))
