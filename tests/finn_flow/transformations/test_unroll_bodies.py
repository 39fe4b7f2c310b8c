"""Several bodies in a loop's row compute what the loop did, whatever their number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.util.basic import qonnx_make_model

from brevitas_models.config import NetworkConfig
from brevitas_models.untrained import untrained_network
from custom_ops.hardware import DOMAIN
from finn_flow.errors import UserError
from finn_flow.export.qonnx import to_qonnx
from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.transformations.name_nodes import NameNodes
from finn_flow.transformations.unroll_bodies import UnrollBodies, legal_bodies, unrolled_loops
from tests.finn_flow.transformations.compiled import assert_same_logits, finish, graphs, hardware, integers
from tests.finn_flow.transformations.qonnx_graphs import ode_net


def names(model: ModelWrapper) -> list[str]:
    return [node.name for graph in graphs(model) for node in graph.graph.node]


@settings(max_examples=10)
@given(
    iterations=st.lists(st.integers(2, 6), min_size=1, max_size=2).map(tuple),
    style=st.sampled_from(["ds", "dense"]),
    time_bias=st.booleans(),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_exact_with_any_number_of_bodies(iterations, style, time_bias, seed, data):
    lowered = integers(ode_net(iterations, 2, style, time_bias, seed=seed, state_output=False))
    model = hardware(lowered)
    bodies = {loop.name: data.draw(st.sampled_from(legal_bodies(loop))) for loop in loops(model)}
    assert [legal_bodies(loop)[-1] for loop in loops(model)] == list(iterations)
    unrolled = model.transform(UnrollBodies(bodies))
    totals = {loop.name: count for loop, count in zip(loops(model), iterations, strict=True)}
    for loop in loops(unrolled):
        op = getCustomOp(loop)
        assert op.get_nodeattr("bodies") == bodies[loop.name]
        assert op.get_nodeattr("iterations") * op.get_nodeattr("bodies") == totals[loop.name]
    assert unrolled_loops(unrolled) == {name: n for name, n in bodies.items() if n == totals[name]}
    assert len(names(unrolled)) == len(set(names(unrolled)))
    assert names(unrolled.transform(NameNodes())) == names(unrolled)
    again = unrolled.transform(UnrollBodies(bodies))
    assert again.model.SerializeToString(deterministic=True) == unrolled.model.SerializeToString(deterministic=True)
    assert_same_logits(lowered, finish(unrolled), seed)


def test_every_copy_has_its_own_rows_and_a_name_that_says_which_it_is():
    model = hardware(integers(ode_net((6,), 2, state_output=False)))
    (loop,) = loops(model)
    before = loop_body(loop)
    node = next(node for node in before.graph.node if node.name == "ODELoop_rtl_0_IndexedThresholding_rtl_1")
    thresholds = before.get_initializer(node.input[1])
    assert len(np.unique(thresholds, axis=0)) == 6
    (loop,) = loops(model.transform(UnrollBodies({"ODELoop_rtl_0": 3})))
    body = loop_body(loop)
    for number in range(3):
        name = f"ODELoop_rtl_0_body_{number}_IndexedThresholding_rtl_1"
        (copy,) = [node for node in body.graph.node if node.name == name]
        assert getCustomOp(copy).get_nodeattr("iterations") == 2
        np.testing.assert_array_equal(body.get_initializer(copy.input[1]), thresholds[number::3])
    assert len(body.graph.node) == 3 * len(before.graph.node)
    assert body.get_tensor_datatype(body.graph.input[1].name) == DataType["BINARY"]


def test_a_body_per_iteration_takes_the_place_of_the_loop():
    model = hardware(integers(ode_net((3,), 2, state_output=False))).transform(UnrollBodies({"ODELoop_rtl_0": 3}))
    assert not list(loops(model))
    types = {node.op_type for node in model.graph.node}
    assert "Thresholding_rtl" in types
    assert "IndexedThresholding_rtl" not in types
    assert unrolled_loops(model) == {"ODELoop_rtl_0": 3}


def test_stages_of_a_solver_are_passes_too():
    """Two iterations of four stages: what chooses between states goes by the pass, and needs more than one."""
    config = NetworkConfig(in_channels=1, image_size=[6, 6], channels=[2], iterations=[2], solver="rk4")
    lowered = integers(to_qonnx(untrained_network(config, seed=0)))
    model = hardware(lowered)
    (loop,) = loops(model)
    assert legal_bodies(loop) == [1, 2, 4]
    assert "Select_rtl" in {node.op_type for node in loop_body(loop).graph.node}
    for bodies in (2, 4):
        assert_same_logits(lowered, finish(model.transform(UnrollBodies({loop.name: bodies}))))


@pytest.mark.parametrize("bodies", [0, 4, 12])
def test_only_divisors(bodies):
    model = hardware(integers(ode_net((6,), 2, state_output=False)))
    with pytest.raises(UserError, match=f"ODELoop_rtl_0: bodies must be one of 1, 2, 3, 6, not {bodies}"):
        model.transform(UnrollBodies({"ODELoop_rtl_0": bodies}))


def test_without_loops_nothing_changes():
    model = hardware(integers(ode_net((), 2, state_output=False)))
    before = model.model.SerializeToString(deterministic=True)
    assert model.transform(UnrollBodies({"ODELoop_rtl_0": 2})).model.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize(("bodies", "op_type"), [(2, "IndexedThresholding_rtl"), (4, "PositionThresholding_rtl")])
def test_thresholds_by_kind_of_pixel_keep_their_kinds(bodies, op_type):
    model = loop_of_thresholds(iterations=4, kinds=3)
    unrolled = model.transform(UnrollBodies({"ODELoop_rtl_0": bodies}))
    found = [node for graph in graphs(unrolled) for node in graph.graph.node if node.op_type == op_type]
    assert len(found) == bodies
    x = np.arange(12, dtype=np.float32).reshape(1, 2, 3, 2) + 2
    np.testing.assert_array_equal(execute(unrolled, x), execute(model, x))
    assert len(np.unique(execute(model, x))) > 2


def loop_of_thresholds(iterations: int, kinds: int) -> ModelWrapper:
    """Return a loop on 2 x 3 pixels of two channels that does nothing but compare, with other thresholds everywhere."""
    shape, steps = [1, 2, 3, 2], 15
    random = np.random.default_rng(0)
    body_graph = helper.make_graph(
        [
            helper.make_node(
                "IndexedThresholding_rtl",
                ["state", "thresholds", "index"],
                ["next"],
                name="ODELoop_rtl_0_IndexedThresholding_rtl_0",
                domain=DOMAIN,
                backend="fpgadataflow",
                NumChannels=2,
                PE=1,
                numInputVectors=shape[:-1],
                numSteps=steps,
                inputDataType="UINT4",
                weightDataType="UINT4",
                outputDataType="UINT4",
                iterations=iterations,
                positions=[0, 1, 2, 2, 1, 0],
            )
        ],
        "body",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
            for name, dims in (("state", shape), ("index", [1]))
        ],
        [helper.make_tensor_value_info("next", TensorProto.FLOAT, shape)],
    )
    body = ModelWrapper(qonnx_make_model(body_graph))
    body.set_initializer(
        "thresholds", np.sort(random.integers(0, 16, (iterations * kinds, 2, steps))).astype(np.float32)
    )
    for name, kind in (("state", "UINT4"), ("next", "UINT4"), ("thresholds", "UINT4"), ("index", "UINT2")):
        body.set_tensor_datatype(name, DataType[kind])
    loop = helper.make_node(
        "ODELoop_rtl",
        ["x"],
        ["y"],
        name="ODELoop_rtl_0",
        domain=DOMAIN,
        backend="fpgadataflow",
        iterations=iterations,
        PE=1,
        inputDataType="UINT4",
        outputDataType="UINT4",
        body=body.graph,
    )
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    model = ModelWrapper(qonnx_make_model(helper.make_graph([loop], "loop", ends[:1], ends[1:])))
    for name in "xy":
        model.set_tensor_datatype(name, DataType["UINT4"])
    return model


def execute(model: ModelWrapper, x: np.ndarray) -> np.ndarray:
    context = {"x": x, **{tensor.name: model.get_initializer(tensor.name) for tensor in model.graph.initializer}}
    for node in model.graph.node:
        getCustomOp(node).execute_node(context, model.graph)
    return context["y"]
