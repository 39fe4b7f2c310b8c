"""The looped stage as a FINN node: attributes, execution against plain NumPy, cycles, memory, generated Verilog."""

import numpy as np
import pytest
from finn.transformation.fpgadataflow.annotate_cycles import AnnotateCycles
from onnx import TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.basic import qonnx_make_model

from custom_ops.hardware import DOMAIN
from custom_ops.indexed_thresholding.reference import indexed_thresholding
from custom_ops.ode_loop.op import ODELoop_rtl
from custom_ops.ode_loop.schedule import choose_frames_in_flight, cycles_per_frame
from custom_ops.ode_update.reference import ode_update
from finn_flow.errors import FlowError, UserError

SHAPE = (1, 4, 3, 4)
STATE = "INT8"
INCREMENT = "INT6"
STEPS = 7


def node(op_type: str, inputs: list[str], outputs: list[str], name: str, **attributes):
    return helper.make_node(op_type, inputs, outputs, name=name, domain=DOMAIN, backend="fpgadataflow", **attributes)


def tensor(name: str, shape: tuple[int, ...]):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def thresholds(iterations: int, which: int) -> np.ndarray:
    rng = np.random.default_rng(which)
    return np.sort(rng.integers(-128, 128, (iterations, SHAPE[-1], STEPS)), axis=-1)


def make_body(iterations: int, pe: int, indexed: int = 2) -> ModelWrapper:
    """Z' = update(z, thresholds_2[i](thresholds_1[i](z))), the second one optional."""
    vectors = list(SHAPE[:3])
    common = {"NumChannels": SHAPE[-1], "PE": pe, "numInputVectors": vectors}
    nodes = [
        node("Fork_rtl", ["z"], ["z_a", "z_b"], "fork", NumOutputs=2, inputDataType=STATE, **common),
    ]
    before = "z_a"
    for which in range(indexed):
        after = f"q{which}"
        nodes.append(
            node(
                "IndexedThresholding_rtl",
                [before, f"thresholds{which}", "index"],
                [after],
                f"threshold{which}",
                numSteps=STEPS,
                ActVal=-3,
                inputDataType=STATE if which == 0 else INCREMENT,
                weightDataType=STATE,
                outputDataType=INCREMENT,
                iterations=iterations,
                **common,
            )
        )
        before = after
    nodes.append(
        node(
            "ODEUpdate_rtl",
            ["z_b", before],
            ["z_next"],
            "update",
            stateDataType=STATE,
            incrementDataType=INCREMENT,
            fraction_bits=-1,
            **common,
        )
    )
    inputs = [tensor("z", SHAPE), tensor("index", (1,))]
    values = [tensor(name, SHAPE) for name in ("z_a", "z_b", *(f"q{i}" for i in range(indexed)))]
    graph = helper.make_graph(nodes, "body", inputs, [tensor("z_next", SHAPE)], value_info=values)
    body = ModelWrapper(qonnx_make_model(graph))
    for which in range(indexed):
        body.set_initializer(f"thresholds{which}", thresholds(iterations, which).astype(np.float32))
    return body


def make_model(iterations: int = 3, pe: int = 2, body: ModelWrapper | None = None, **attributes) -> ModelWrapper:
    body = body or make_body(iterations, pe)
    settings = {"inputDataType": STATE, "outputDataType": STATE, "iterations": iterations, "PE": pe}
    loop = node("ODELoop_rtl", ["x"], ["y"], "loop", body=body.graph, **{**settings, **attributes})
    graph = helper.make_graph([loop], "outer", [tensor("x", SHAPE)], [tensor("y", SHAPE)])
    model = ModelWrapper(qonnx_make_model(graph))
    model.set_tensor_datatype("x", DataType[STATE])
    return model


def loop_of(model: ModelWrapper) -> ODELoop_rtl:
    return getCustomOp(model.get_nodes_by_op_type("ODELoop_rtl")[0])


def expected(x: np.ndarray, iterations: int) -> np.ndarray:
    z = x.astype(np.int64)
    for i in range(iterations):
        q = indexed_thresholding(z, thresholds(iterations, 0), i, -3)
        q = indexed_thresholding(q, thresholds(iterations, 1), i, -3)
        z = ode_update(z, q, -1, -128, 127)
    return z


@pytest.mark.parametrize("iterations", [2, 3, 8])
def test_executes_the_body_with_the_iteration_number(iterations):
    model = make_model(iterations)
    x = np.random.default_rng(1).integers(-128, 128, SHAPE).astype(np.float32)
    y = execute_onnx(model, {"x": x})["y"]
    np.testing.assert_array_equal(y, expected(x, iterations))


def test_executes_several_frames():
    loop = loop_of(make_model())
    x = np.random.default_rng(2).integers(-128, 128, (5, *SHAPE[1:])).astype(np.float32)
    context = {"x": x}
    loop.execute_node(context, None)
    np.testing.assert_array_equal(context["y"], expected(x, 3))


def test_body_without_iteration_number_has_no_index_stream():
    body = make_body(2, 2, indexed=0)
    body.graph.node.remove(body.graph.node[1])
    body.graph.node[0].attribute.remove(next(a for a in body.graph.node[0].attribute if a.name == "NumOutputs"))
    body.graph.node[0].attribute.append(helper.make_attribute("NumOutputs", 2))
    del body.graph.input[1]
    body.graph.output[0].name = "z_a"
    loop = loop_of(make_model(2, body=body))
    assert loop.index_consumers() == []
    assert loop.core_parameters({})["NUM_INDEX"] == 0
    assert len(loop.control_output_streams()) == 2


def test_shapes_and_datatypes():
    model = make_model(pe=4).transform(InferShapes()).transform(InferDataTypes())
    loop = loop_of(model)
    assert model.get_tensor_datatype("y") == DataType[STATE]
    assert tuple(loop.get_normal_input_shape()) == tuple(loop.get_normal_output_shape()) == SHAPE
    assert tuple(loop.get_folded_input_shape()) == (1, 4, 3, 1, 4)
    assert loop.get_instream_width() == loop.get_outstream_width() == 32
    assert loop.get_number_output_values() == 12


def test_cycles_are_iterations_times_the_slowest_body_node():
    body = make_body(3, 2)
    getCustomOp(body.graph.node[1]).set_nodeattr("PE", 1)
    loop = loop_of(make_model(3, body=body))
    assert loop.body_ii_cycles == 48
    assert loop.get_exp_cycles() == 3 * 48
    model = make_model(3).transform(AnnotateCycles())
    assert loop_of(model).get_nodeattr("cycles_estimate") == 3 * 24


def test_feedback_fifo_holds_the_frames_in_flight():
    assert loop_of(make_model()).feedback_fifo_bits == 48 * 8
    assert loop_of(make_model(frames_in_flight=3)).feedback_fifo_bits == 3 * 48 * 8


def test_memory_estimates_follow_the_ram_styles():
    in_blocks = loop_of(make_model(feedback_ram_style="block", input_ram_style="ultra"))
    assert (in_blocks.bram_estimation(""), in_blocks.uram_estimation("")) == (1, 1)
    in_luts = loop_of(make_model(feedback_ram_style="distributed", input_ram_style="distributed"))
    assert (in_luts.bram_estimation(""), in_luts.uram_estimation("")) == (0, 0)
    assert in_luts.lut_estimation("") > in_blocks.lut_estimation("")


def test_index_streams_belong_to_their_consumers_in_graph_order():
    loop = loop_of(make_model(5))
    assert loop.index_consumers() == [("threshold0", 2), ("threshold1", 2)]
    body = loop.get_nodeattr("body")
    index = loop.control_output_streams()[2]
    for name, position in loop.index_consumers():
        consumer = getCustomOp(body.get_node_from_name(name))
        assert consumer.get_input_datatype(position) == index.datatype == loop.index_datatype


def test_generated_control_module(tmp_path):
    model = make_model(frames_in_flight=2, input_ram_style="block")
    loop = loop_of(model)
    loop.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    loop.code_generation_ipgen(model, "xczu7ev-ffvc1156-2-e", 5.0)
    source = (tmp_path / "loop_control.v").read_text()
    for line in (
        "module loop_control (",
        ".DATA_WIDTH(16)",
        ".WORDS_PER_FRAME(24)",
        ".ITERATIONS(3)",
        ".FRAMES_IN_FLIGHT(2)",
        ".NUM_INDEX(2)",
        '.FEEDBACK_RAM_STYLE("distributed")',
        '.INPUT_RAM_STYLE("block")',
        ".from_body_tdata(in1_V_TDATA[15:0])",
        ".to_body_tdata(out1_V_data)",
        ".m_index_tdata({out3_V_data, out2_V_data})",
    ):
        assert line in source
    assert loop.get_rtl_file_list()[-2:] == ["ode_loop.sv", "loop_control.v"]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"iterations": 1}, "loop: iterations must be at least 2, not 1"),
        ({"frames_in_flight": 0}, "loop: frames_in_flight must be at least 1, not 0"),
        ({"PE": 3}, "loop: PE must divide the state's channels, not PE=3 with the state's channels=4; use 1, 2 or 4"),
        ({"outputDataType": "INT9"}, "loop: outputDataType must be INT8, not INT9"),
        (
            {"inputDataType": "FLOAT32"},
            "loop: inputDataType must be an integer type of 1 to 32 bits, not FLOAT32",
        ),
    ],
)
def test_illegal_attributes(attributes, message):
    with pytest.raises(UserError) as error:
        loop_of(make_model(**attributes))
    assert str(error.value) == message


def test_body_must_keep_the_shape():
    body = make_body(3, 2)
    body.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2
    with pytest.raises(UserError, match=r"must keep the state's shape, not turn \[1, 4, 3, 4\] into \[1, 2, 3, 4\]"):
        loop_of(make_model(body=body))


def test_body_must_have_one_output():
    body = make_body(3, 2)
    body.graph.output.append(tensor("q0", SHAPE))
    with pytest.raises(UserError, match="not 2 inputs and 2 outputs"):
        loop_of(make_model(body=body))


def test_body_must_be_hardware():
    body = make_body(3, 2)
    body.graph.node.append(helper.make_node("Identity", ["z_next"], ["end"], name="identity"))
    with pytest.raises(FlowError, match=r"loop: body node identity \(Identity\) is not a hardware node"):
        loop_of(make_model(body=body)).get_exp_cycles()


@pytest.mark.parametrize(
    ("latency", "ii", "frames"), [(0, 100, 1), (96, 100, 1), (97, 100, 2), (196, 100, 2), (197, 100, 3), (10, 1, 14)]
)
def test_frames_in_flight_cover_the_latency(latency, ii, frames):
    assert choose_frames_in_flight(latency, ii) == frames
    assert cycles_per_frame(7, latency, ii, frames) == 7 * ii
    if frames > 1:
        assert cycles_per_frame(7, latency, ii, frames - 1) > 7 * ii
