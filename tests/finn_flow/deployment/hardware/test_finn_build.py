"""`finn build` with our nodes, from hardware nodes to the package, with stand-ins for Vivado and Vitis HLS.

What is Python is run for real, and so is the Tcl, with Vivado's commands recorded. None of it has been run in Vivado.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from finn.transformation.fpgadataflow.create_stitched_ip import CreateStitchedIP
from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
from finn.util.exception import FINNInternalError, FINNUserError
from finn.util.settings import get_settings
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.deployment.package import make_package
from finn_flow.deployment.settings import finn_settings
from finn_flow.finn_adapter.rtllib_patches import PATCHES
from finn_flow.steps.vivado import step_prepare_ip
from finn_flow.verilator import Design, Stall, StreamPort, pack, simulate, unpack
from tests.finn_flow.deployment.hardware import finn_tools
from tests.finn_flow.netlist.one_block import CLOCK_NS, PART
from tests.places import BUILD_CONFIGS

CONFIG = BUILD_CONFIGS / "zcu104_bitfile.json"
FIRST_STEP = "step_generate_estimate_reports"
PARTITION = "StreamingDataflowPartition_1"
"""What FINN calls the accelerator in the ZYNQ project, between the DMA channels."""


@pytest.fixture(scope="module")
def folder(tiny, tmp_path_factory):
    """Return what `finn build` makes of the small accelerator with the configuration's steps after folding."""
    folder = tmp_path_factory.mktemp("finn")
    for name in ("tools", "generated", "deps/finn-hlslib", "deps/attention-hlslib"):
        (folder / name).mkdir(parents=True)
    tiny.sized.save(str(folder / "sized.onnx"))
    config = json.loads(CONFIG.read_text())
    config["steps"] = config["steps"][config["steps"].index(FIRST_STEP) :]
    (folder / "config.json").write_text(json.dumps(config))
    options = ["--skip-dep-update", "--accept-defaults", "--batch", "--dependency-path", folder / "deps"]
    options += ["--build-path", folder / "generated", "--output", folder / "build"]
    command = [
        sys.executable,
        "-m",
        finn_tools.__name__,
        "finn",
        *options,
        folder / "config.json",
        folder / "sized.onnx",
    ]
    environment = {
        **os.environ,
        **finn_tools.install(folder / "tools"),
        "FINN_SETTINGS": str(folder / "settings.yaml"),
        "NUM_DEFAULT_WORKERS": "2",
    }
    done = subprocess.run(
        list(map(str, command)), cwd=CONFIG.parents[1], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def record(folder: Path, script: str, design: str) -> tuple[Path, dict]:
    """Folder and record of the project with this block design."""
    (found,) = (
        path
        for path in (folder / "generated").glob(f"*/{script}.tcl")
        if f'create_bd_design "{design}"' in path.read_text()
    )
    return found.parent, json.loads(found.with_suffix(finn_tools.RECORD).read_text())


@pytest.fixture(scope="module")
def graph(folder):
    return ModelWrapper(str(folder / "build" / "intermediate_models" / "step_create_stitched_ip.onnx"))


def test_every_stream_clock_and_reset_of_every_node_is_connected(folder, graph):
    _, made = record(folder, "make_project", "finn_design")
    group_of = {pin: set(group) for group in made["groups"] for pin in group}
    ends = {graph.graph.input[0].name, graph.graph.output[0].name}
    for node in graph.graph.node:
        names = getCustomOp(node).get_verilog_top_module_intf_names()
        assert made["cells"][node.name] in (node.name, "hier")
        for pin in (*names["clk"], *names["rst"]):
            assert {f"{other.name}/{pin}" for other in graph.graph.node} <= group_of[f"{node.name}/{pin}"]
        for tensors, ports in ((node.input, names["s_axis"]), (node.output, names["m_axis"])):
            for tensor, (port, _) in zip(tensors, ports, strict=False):
                others = {pin.split("/")[0] for pin in group_of[f"{node.name}/{port}"]} - {node.name}
                assert len(others) == (tensor not in ends)


def test_the_loop_is_one_module_with_all_its_parts(folder, tiny):
    _, made = record(folder, "make_project", "finn_design")
    assert made["cells"]["ODELoop_rtl_0"] == "ODELoop_rtl_0"
    inside = {Path(name).name for name in made["files"] if "/code_gen_ipgen_ODELoop_rtl_0_" in name}
    parts = {
        instance.module
        for module in ("ODELoop_rtl_0", "ODELoop_rtl_0_body")
        for instance in tiny.netlist.modules[module].instances
    }
    assert {f"{part}.v" for part in parts} <= inside


@pytest.mark.parametrize("design", ["finn_design", PARTITION])
def test_library_and_memory_files(folder, design):
    """Vivado gets FINN's library with the patches, and every memory file by its absolute path."""
    _, made = record(folder, "make_project", design)
    library = {path for path in map(Path, made["files"]) if "finn-rtllib" in path.parts}
    assert library
    assert all(path.is_relative_to(folder / "build" / "finn-rtllib") for path in library)
    (corrected,) = (path for path in library if path.name == "mvu_vvu_axi.sv")
    assert any(patch.note in corrected.read_text() for patch in PATCHES if patch.tool == "correct results")
    generated = [Path(path).read_text() for path in made["files"] if Path(path).is_relative_to(folder / "generated")]
    named = {name for text in generated for name in re.findall(r'"([^"\s]+\.dat)"', text)}
    assert named
    assert not [text for text in generated if '"./' in text]
    assert all(Path(name).is_absolute() and Path(name).is_file() for name in named)


@pytest.mark.parametrize("stall", [0.0, 0.3])
def test_the_stitched_design_classifies_exactly(folder, tiny, stall):
    """Simulated from the very files and connections that Vivado would get for the ZYNQ project."""
    project, made = record(folder, "make_project", PARTITION)
    (source,), (sink,) = tiny.netlist.inputs.values(), tiny.netlist.outputs.values()
    (wrapper,) = project.rglob("*_wrapper.v")

    def port(name: str, stream) -> StreamPort:
        return StreamPort(name, stream.width_bits, f"{name}_tdata", f"{name}_tvalid", f"{name}_tready")

    design = Design(
        wrapper.stem,
        [*map(Path, made["files"]), wrapper],
        [port("s_axis_0", source)],
        [port("m_axis_0", sink)],
        data_files=[Path("/")],
    )
    golden = tiny.golden
    words = pack(golden.inputs.reshape(-1, source.pe).astype(np.int64), source.bits)
    found = simulate(design, {"s_axis_0": words}, {"m_axis_0": len(golden.inputs)}, stall=Stall.random(stall, stall, 1))
    labels = unpack(found.outputs["m_axis_0"], sink.pe, sink.bits, signed=False)[:, 0]
    np.testing.assert_array_equal(labels, golden.logits.argmax(1))


def test_frames_go_from_memory_through_the_accelerator_and_back(folder):
    _, made = record(folder, "ip_config", "top")
    groups = [set(group) for group in made["groups"]]
    for pair in (
        {"idma0/m_axis_0", f"{PARTITION}/s_axis_0"},
        {f"{PARTITION}/m_axis_0", "odma0/s_axis_0"},
        {"idma0/m_axi_gmem0", "smartconnect_0/S00_AXI"},
        {"odma0/m_axi_gmem0", "smartconnect_0/S01_AXI"},
        {"idma0/s_axi_control_0", "axi_interconnect_0/M00_AXI"},
        {"odma0/s_axi_control_0", "axi_interconnect_0/M01_AXI"},
    ):
        assert pair in groups
    clock = next(group for group in groups if "clk_wiz_0/clk_out1" in group)
    reset = next(group for group in groups if "proc_sys_reset_0/interconnect_aresetn" in group)
    for cell in ("idma0", PARTITION, "odma0"):
        assert f"{cell}/ap_clk" in clock
        assert f"{cell}/ap_rst_n" in reset
    assert ["clk_wiz_0", "CONFIG.CLKOUT1_REQUESTED_OUT_FREQ", "200"] in made["properties"]
    assert len(set(made["addresses"].values())) == 2


def test_the_package_takes_what_finn_has_built(folder, tiny):
    build = folder / "build"
    package = make_package(build)
    assert package.has_bitfile
    assert not (package.folder / "hardware").exists()
    settings = json.loads((build / "driver" / "settings.json").read_text())["driver_information"]
    ours = finn_settings(tiny.netlist)["driver_information"]
    for prefix in "io":
        for name in ("dt", "shape_normal", "shape_folded", "shape_packed"):
            assert settings["io_shape_dict"][f"{prefix}{name}"] == ours["io_shape_dict"][f"{prefix}{name}"]
    assert settings["driver_type"] == ours["driver_type"]


def test_a_loop_without_its_body_is_refused(tiny):
    """`PrepareIP` alone does not know the body."""
    model = ModelWrapper(tiny.sized.model.__deepcopy__({})).transform(PrepareIP(PART, CLOCK_NS))
    with pytest.raises(FINNInternalError, match="ip_path is not set correctly in node ODELoop_rtl_0"):
        model.transform(CreateStitchedIP(PART, CLOCK_NS))


def test_what_vitis_hls_needs_is_asked_for_before_hours_of_work(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", finn_tools.install(tmp_path)["PATH"])
    monkeypatch.setattr(get_settings(), "finn_deps", tmp_path)
    with pytest.raises(FINNUserError, match=r"finn-hlslib is missing.*fetch it with `finn deps update`"):
        step_prepare_ip(tiny.sized, None)
