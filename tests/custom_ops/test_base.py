"""What all hardware ops share: attribute messages, FINN's interface, wrapper, checks of values and streams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
from onnx import helper
from qonnx.core.datatype import DataType
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes

from custom_ops.hardware import DOMAIN
from custom_ops.memory import bram_18k, hex_word
from finn_flow.errors import FlowError, UserError
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.rtl_lint import own_cores
from finn_flow.verilator import Design, SimulationError, StreamPort, pack, simulate
from tests.custom_ops.base_test import PART, STALLS, Case, make_model
from tests.custom_ops.cases import conv_case, threshold_case

CONV = conv_case(8, 2, (4, 4), 3, 1, "INT4", "INT4").attributes
FORK = {"NumOutputs": 2, "NumChannels": 4, "PE": 2, "numInputVectors": [1, 3], "inputDataType": "INT4"}
UPDATE = {
    "NumChannels": 4,
    "PE": 2,
    "stateDataType": "INT8",
    "incrementDataType": "INT8",
    "fraction_bits": 2,
}
POOL = {"NumChannels": 4, "PE": 2, "ImgDim": [4, 4], "inputDataType": "UINT4", "outputDataType": "UINT8"}
TOP_K = {"Labels": 10, "PE": 2, "K": 1, "inputDataType": "INT8"}
INDEXED = threshold_case(4, 2, 3, 2, "INT4", "UINT2").attributes

ILLEGAL: list[tuple[str, dict[str, Any], str]] = [
    (
        "DepthwiseConv_rtl",
        {**CONV, "PE": 3},
        "n: PE must divide NumChannels, not PE=3 with NumChannels=8; use 1, 2, 4 or 8",
    ),
    ("DepthwiseConv_rtl", {**CONV, "Kernel": 4}, "n: Kernel must be 3 or 5, not 4"),
    ("DepthwiseConv_rtl", {**CONV, "Stride": 3}, "n: Stride must be 1 or 2, not 3"),
    (
        "DepthwiseConv_rtl",
        {**CONV, "IFMDim": [1, 4]},
        "n: each of IFMDim must be at least 2, not 1 (half a kernel of 3",
    ),
    ("DepthwiseConv_rtl", {**CONV, "IFMDim": [4]}, "n: IFMDim must be 2 positive numbers, not [4]"),
    ("DepthwiseConv_rtl", {**CONV, "inputDataType": "INT13"}, "must be an integer type of 1 to 12 bits, not INT13"),
    ("DepthwiseConv_rtl", {**CONV, "inputDataType": "BIPOLAR"}, "must be an integer type of 1 to 12 bits, not BIPOLAR"),
    (
        "DepthwiseConv_rtl",
        {**CONV, "weightDataType": "UINT4"},
        "must be a signed integer type of 2 to 8 bits, not UINT4",
    ),
    ("DepthwiseConv_rtl", {**CONV, "weightDataType": "int"}, "n: weightDataType must be a datatype, not 'int'"),
    ("Fork_rtl", {**FORK, "NumOutputs": 1}, "n: NumOutputs must be at least 2, not 1"),
    ("Fork_rtl", {**FORK, "NumOutputs": 3}, "n: NumOutputs must be the number of outputs, not 3 with 2 outputs"),
    ("ODEUpdate_rtl", {**UPDATE, "fraction_bits": 30}, "n: fraction_bits must be between -24 and 24, not 30"),
    ("GlobalSumPool_rtl", {**POOL, "outputDataType": "UINT7"}, "sum of 16 values of UINT4, not UINT7; use UINT8"),
    (
        "GlobalSumPool_rtl",
        {**POOL, "outputDataType": "INT9"},
        "must be an unsigned integer type of 1 to 25 bits, not INT9",
    ),
    ("TopK_rtl", {**TOP_K, "K": 11}, "n: K must be between 1 and Labels, not K=11 with Labels=10"),
    ("TopK_rtl", {**TOP_K, "PE": 4}, "n: PE must divide Labels, not PE=4 with Labels=10; use 1, 2, 5 or 10"),
    (
        "TopK_rtl",
        {**TOP_K, "numInputVectors": [2]},
        "n: numInputVectors must be all 1, not [2]; one vector is one frame",
    ),
    ("IndexedThresholding_rtl", {**INDEXED, "iterations": 1}, "iterations must be at least 2, not 1 (one set"),
    ("IndexedThresholding_rtl", {**INDEXED, "ActVal": 1}, "must hold 1 to 4 (ActVal and numSteps), not UINT2"),
    ("IndexedThresholding_rtl", {**INDEXED, "numSteps": 0}, "n: numSteps must be at least 1, not 0"),
]


@pytest.mark.parametrize(("op_type", "attributes", "message"), ILLEGAL)
def test_illegal_attributes_are_refused_when_the_node_is_loaded(
    op_type: str, attributes: dict[str, Any], message: str
) -> None:
    inputs = ["x", "w", "i"] if op_type == "IndexedThresholding_rtl" else ["x", "w"]
    outputs = ["y", "z"] if op_type == "Fork_rtl" else ["y"]
    node = helper.make_node(op_type, inputs, outputs, name="n", domain=DOMAIN, backend="fpgadataflow", **attributes)
    with pytest.raises(UserError) as error:
        getCustomOp(node)
    assert message in str(error.value)


def test_shapes_and_types_are_inferred_for_all_outputs() -> None:
    model = make_model("Fork_rtl", Case(FORK), 1, 2)
    model.set_tensor_datatype("in0", DataType["UINT3"])
    model = model.transform(InferShapes()).transform(InferDataTypes())
    for name in ("out0", "out1"):
        assert model.get_tensor_shape(name) == [1, 3, 4]
        assert model.get_tensor_datatype(name) == DataType["UINT3"]
    assert getCustomOp(model.graph.node[0]).get_nodeattr("inputDataType") == "UINT3"


def test_finn_sees_streams_files_and_commands() -> None:
    ensure_finn()
    model = make_model("IndexedThresholding_rtl", threshold_case(4, 2, 3, 5, "INT4", "UINT2"), 3)
    op = getCustomOp(model.transform(PrepareIP(PART, 5.0)).graph.node[0])
    interfaces = op.get_verilog_top_module_intf_names()
    assert interfaces["s_axis"] == [("in0_V", 8), ("in1_V", 8)]
    assert interfaces["m_axis"] == [("out0_V", 8)]
    assert [op.get_instream_width(i) for i in range(3)] == [8, 0, 3]
    names = op.get_rtl_file_list()
    files = [Path(file) for file in op.get_rtl_file_list(abspath=True)]
    assert names[-1] == "node.v"
    assert [file.name for file in files] == names
    assert all(file.is_file() for file in files)
    assert op.code_generation_ipi()[-1] == "create_bd_cell -type module -reference node node"
    assert op.get_nodeattr("ip_path") == op.get_nodeattr("code_gen_dir_ipgen")


def test_estimates_are_plausible() -> None:
    op = getCustomOp(
        make_model("DepthwiseConv_rtl", Case({**CONV, "resType": "dsp", "ram_style": "block"}), 2).graph.node[0]
    )
    estimate = op.node_res_estimation(PART)
    assert estimate["DSP"] == 18
    assert estimate["BRAM_18K"] == 2
    assert estimate["LUT"] > 100
    assert op.get_op_and_param_counts() == {"op_mac_4bx4b": 4 * 4 * 8 * 9, "param_weight_4b": 72}
    assert bram_18k(8, 4096) == 2


def test_constant_of_another_shape_is_refused() -> None:
    ensure_finn()
    model = make_model("DepthwiseConv_rtl", Case(CONV, {1: np.ones((8, 5, 5), np.int64)}), 2)
    message = r"node: input in1 must be a constant of shape \[8, 3, 3\], not of shape \[8, 5, 5\]"
    with pytest.raises(UserError, match=message):
        model.transform(PrepareIP(PART, 5.0))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.full((1, 3, 4), 8.0), r"node: input in0 holds 8.0 \(and 11 more such values\), which INT4 cannot hold"),
        (np.full((1, 3, 4), 0.5), "node: input in0 holds 0.5"),
        (np.zeros((1, 3, 5)), r"node: input in0 must have shape \[1, 3, 4\], not \[1, 3, 5\]"),
    ],
)
def test_values_that_hardware_cannot_hold_are_refused(x: np.ndarray, message: str) -> None:
    op = getCustomOp(make_model("Fork_rtl", Case(FORK), 1, 2).graph.node[0])
    with pytest.raises(FlowError, match=message):
        op.execute_node({"in0": x.astype(np.float32)}, None)


def test_several_frames_execute_at_once() -> None:
    model = make_model("Fork_rtl", Case(FORK), 1, 2)
    x = np.arange(-6, 6).reshape(1, 3, 4)
    context = {"in0": np.concatenate([x, -x]).astype(np.float32)}
    getCustomOp(model.graph.node[0]).execute_node(context, model.graph)
    np.testing.assert_array_equal(context["out1"], np.concatenate([x, -x]))
    single = execute_onnx(model, {"in0": x.astype(np.float32)})
    np.testing.assert_array_equal(single["out0"], x)


def test_hex_word_packs_the_first_value_lowest() -> None:
    assert hex_word(np.array([1, -1, 7]), 4) == "7f1"
    assert hex_word(np.array([-1, 0]), 3) == "07"


@pytest.mark.parametrize(("fault", "message"), [(0, "TVALID fell before TREADY"), (1, "TDATA changed before TREADY")])
def test_stream_checker_reports_lost_words(fault: int, message: str) -> None:
    design = Design(
        "faulty_stream",
        [own_cores()["stream_checker"], Path(__file__).parent / "rtl" / "faulty_stream.sv"],
        [StreamPort("s_axis", 8, "s_axis_tdata", "s_axis_tvalid", "s_axis_tready")],
        [StreamPort("m_axis", 8, "m_axis_tdata", "m_axis_tvalid", "m_axis_tready")],
        constants={"fault": fault},
        clock="clk",
        reset="rst",
        reset_active_low=False,
    )
    with pytest.raises(SimulationError, match=message):
        simulate(design, {"s_axis": pack(np.arange(20)[:, None], 8)}, {"m_axis": 20}, stall=STALLS["backpressure"])
