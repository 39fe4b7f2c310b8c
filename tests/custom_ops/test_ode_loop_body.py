"""The looped stage around a body of real hardware nodes, as a netlist in Verilator: values and cycles."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, ValueInfoProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.util.basic import qonnx_make_model

from custom_ops.hardware import DOMAIN
from custom_ops.ode_loop.op import ODELoop_rtl
from custom_ops.ode_loop.schedule import LOOP_LATENCY_CYCLES, choose_frames_in_flight
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.netlist import Netlist, write_netlist
from finn_flow.transformations.insert_fifos import InsertFIFOs
from finn_flow.transformations.name_nodes import NameNodes
from finn_flow.verilator import Design, Stall, StreamPort, pack, simulate, unpack

SHAPE = (1, 6, 5, 4)
STATE, INCREMENT, ACTIVATION = "INT8", "INT6", "UINT3"
ITERATIONS = 3
PE = 4
FRAMES = 20


def node(op_type: str, inputs: list[str], outputs: list[str], name: str, **attributes) -> NodeProto:
    return helper.make_node(op_type, inputs, outputs, name=name, domain=DOMAIN, backend="fpgadataflow", **attributes)


def tensor(name: str, shape: tuple[int, ...] = SHAPE) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def make_body() -> ModelWrapper:
    """Z' = update(z, threshold_2[i](convolution(threshold_1[i](z)))): it waits for a row and a pixel."""
    common = {"NumChannels": SHAPE[-1], "PE": PE}
    vectors = {"numInputVectors": list(SHAPE[:3])}
    activation = {"numSteps": 7, "ActVal": 0, "outputDataType": ACTIVATION, "inputDataType": STATE}
    increment = {"numSteps": 15, "ActVal": -8, "outputDataType": INCREMENT, "inputDataType": "INT9"}
    indexed = {"iterations": ITERATIONS, **common, **vectors}
    nodes = [
        node("Fork_rtl", ["z"], ["z_a", "z_b"], "Fork_0", NumOutputs=2, inputDataType=STATE, **common, **vectors),
        node(
            "IndexedThresholding_rtl",
            ["z_a", "thresholds0", "index"],
            ["a"],
            "Threshold_0",
            weightDataType=STATE,
            **activation,
            **indexed,
        ),
        node(
            "DepthwiseConv_rtl",
            ["a", "weights"],
            ["acc"],
            "Conv_0",
            IFMDim=list(SHAPE[1:3]),
            Kernel=3,
            Stride=1,
            inputDataType=ACTIVATION,
            weightDataType="INT4",
            outputDataType="INT9",
            **common,
        ),
        node(
            "IndexedThresholding_rtl",
            ["acc", "thresholds1", "index"],
            ["inc"],
            "Threshold_1",
            weightDataType="INT9",
            **increment,
            **indexed,
        ),
        node(
            "ODEUpdate_rtl",
            ["z_b", "inc"],
            ["z_next"],
            "Update_0",
            stateDataType=STATE,
            incrementDataType=INCREMENT,
            fraction_bits=-1,
            **common,
            **vectors,
        ),
    ]
    inputs = [tensor("z"), tensor("index", (1,))]
    values = [tensor(name) for name in ("z_a", "z_b", "a", "acc", "inc")]
    body = ModelWrapper(
        qonnx_make_model(helper.make_graph(nodes, "body", inputs, [tensor("z_next")], value_info=values))
    )
    rng = np.random.default_rng(4)
    body.set_initializer("thresholds0", np.sort(rng.integers(-100, 100, (ITERATIONS, SHAPE[-1], 7))).astype(np.float32))
    body.set_initializer("thresholds1", np.sort(rng.integers(-90, 90, (ITERATIONS, SHAPE[-1], 15))).astype(np.float32))
    body.set_initializer("weights", rng.integers(-3, 4, (SHAPE[-1], 3, 3)).astype(np.float32))
    for name, datatype in (
        *((name, STATE) for name in ("z", "z_a", "z_b", "z_next")),
        ("a", ACTIVATION),
        ("acc", "INT9"),
        ("inc", INCREMENT),
        ("weights", "INT4"),
        ("thresholds0", STATE),
        ("thresholds1", "INT9"),
    ):
        body.set_tensor_datatype(name, DataType[datatype])
    return body


def make_model(frames_in_flight: int) -> ModelWrapper:
    loop = node(
        "ODELoop_rtl",
        ["x"],
        ["y"],
        "Loop_0",
        body=make_body().graph,
        iterations=ITERATIONS,
        frames_in_flight=frames_in_flight,
        PE=PE,
        inputDataType=STATE,
        outputDataType=STATE,
    )
    model = ModelWrapper(qonnx_make_model(helper.make_graph([loop], "outer", [tensor("x")], [tensor("y")])))
    for name in ("x", "y"):
        model.set_tensor_datatype(name, DataType[STATE])
    # The bypass of the residual holds as many words as the path beside it, here up to two frames.
    return model.transform(InsertFIFOs(frames=2)).transform(NameNodes())


def loop_of(model: ModelWrapper) -> ODELoop_rtl:
    return getCustomOp(model.get_nodes_by_op_type("ODELoop_rtl")[0])


@cache
def frames() -> np.ndarray:
    return np.random.default_rng(5).integers(-128, 128, (FRAMES, *SHAPE[1:]))


@cache
def expected() -> np.ndarray:
    """Return what the graph computes in Python."""
    loop = loop_of(make_model(1))
    context = {loop.onnx_node.input[0]: frames().astype(np.float32)}
    loop.execute_node(context, None)
    return context[loop.onnx_node.output[0]].astype(np.int64)


@pytest.fixture(scope="module")
def netlists(tmp_path_factory) -> dict[int, Netlist]:
    """Netlists by frames in flight."""
    ensure_finn()
    folder: Path = tmp_path_factory.mktemp("loops")
    return {n: write_netlist(make_model(n), folder / str(n), "xczu7ev-ffvc1156-2-e", 5.0) for n in (1, 2)}


def body_latency(netlist: Netlist) -> int:
    """Return the greatest delay, over the words of a frame, from a word in to the same word out of the body alone."""
    name = next(iter(netlist.loops))
    whole = netlist.design()
    words = frames()[:1].reshape(-1, PE)
    bits = DataType[STATE].bitwidth()
    index = pack(np.zeros((1, 1), dtype=np.int64), 8)
    body = Design(
        top=f"{name}_body",
        sources=whole.sources,
        inputs=[StreamPort("in0_V", PE * bits), StreamPort("in1_V", 8), StreamPort("in2_V", 8)],
        outputs=[StreamPort("out0_V", PE * bits)],
        data_files=whole.data_files,
    )
    inputs = {"in0_V": pack(words, bits), "in1_V": index, "in2_V": index}
    streams = simulate(body, inputs, {"out0_V": len(words)}, record_transfers=True).streams
    return int(np.max(streams["out0_V"].transfer_cycles - streams["in0_V"].transfer_cycles))


def run(netlist: Netlist, stall: Stall | None = None, **settings):
    """Send all frames through and check every word."""
    bits = DataType[STATE].bitwidth()
    words = SHAPE[1] * SHAPE[2] * SHAPE[3] // PE
    result = simulate(
        netlist.design(),
        {"in0_V": pack(frames().reshape(-1, PE), bits)},
        {"out0_V": FRAMES * words},
        stall=stall,
        words_per_frame={"in0_V": words, "out0_V": words},
        drain_cycles=1000,
        **settings,
    )
    found = unpack(result.outputs["out0_V"], PE, bits, signed=True).reshape(expected().shape)
    np.testing.assert_array_equal(found, expected())
    assert result.streams["out0_V"].surplus_words == 0
    return result


def test_frames_in_flight_from_the_measured_latency_give_the_expected_cycles(netlists):
    ii = loop_of(make_model(1)).body_ii_cycles
    chosen = choose_frames_in_flight(body_latency(netlists[1]), ii)
    assert chosen == 2, "the body's latency no longer lies between one and two frames"
    steady = {}
    for frames_in_flight, netlist in netlists.items():
        ends = run(netlist).streams["out0_V"].frame_end_cycles
        steady[frames_in_flight] = (ends[-2] - ends[-14]) / 12
    assert steady[chosen] == loop_of(make_model(chosen)).get_exp_cycles() == ITERATIONS * ii
    assert steady[1] > steady[chosen]


def test_one_frame_at_a_time_takes_the_latency_of_the_body_per_pass(netlists):
    latency = body_latency(netlists[2])
    ends = run(netlists[2], frames_in_flight=1).streams["out0_V"].frame_end_cycles
    assert np.all(np.diff(ends) >= ITERATIONS * (latency + LOOP_LATENCY_CYCLES))
    assert len(set(np.diff(ends))) == 1


@pytest.mark.parametrize("frames_in_flight", [1, 2])
@pytest.mark.parametrize("seed", [1, 2])
def test_random_stalls(netlists, frames_in_flight, seed):
    run(netlists[frames_in_flight], Stall.random(0.3, 0.4, seed=seed, burst_cycles=None if seed == 1 else 12))


def test_reset_in_mid_frame(netlists):
    run(netlists[2], reset_at_cycle=333)
