"""The graph of integers computes exactly what the float graph does, and says so when it cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.execution import execute_batch
from finn_flow.steps.frontend import step_lower_to_integers
from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.transformations.lower_to_integers import LOGITS_SCALE, LowerToIntegers
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from tests.finn_flow.transformations.qonnx_graphs import STATE, GraphBuilder, ode_net

INPUT_SCALE = 2.0**-7


def lower(model: ModelWrapper) -> ModelWrapper:
    return step_lower_to_integers.__wrapped__(model, None)


def assert_same_integers(model: ModelWrapper, lowered: ModelWrapper, seed: int = 0) -> None:
    """Same logits for random images, once the codes are multiplied by their scale; every tensor holds integers."""
    shape = model.get_tensor_shape(model.graph.input[0].name)
    codes = np.random.default_rng(seed).integers(0, 256, (8, *shape[1:])).astype(np.float32)
    expected = execute_batch(model, codes * np.float32(INPUT_SCALE))
    found = execute_batch(lowered, codes)
    np.testing.assert_array_equal(found, np.rint(found))
    np.testing.assert_array_equal(found * float(lowered.get_metadata_prop(LOGITS_SCALE)), expected)


@settings(max_examples=12)
@given(
    iterations=st.lists(st.integers(2, 4), min_size=1, max_size=2).map(tuple),
    channels=st.integers(2, 3),
    style=st.sampled_from(["ds", "dense"]),
    time_bias=st.booleans(),
    rolled=st.booleans(),
    noise=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_logits_are_exact_rolled_and_unrolled(iterations, channels, style, time_bias, rolled, noise, seed):
    model = ode_net(iterations, channels, style, time_bias, seed=seed, noise=noise, state_output=False)
    source = model.transform(RollODEBlocks()) if rolled else model
    assert_same_integers(model, lower(source), seed)


def test_thresholds_that_differ_between_iterations_become_parameters_of_the_loop():
    lowered = lower(ode_net((3,), time_bias=True, state_output=False).transform(RollODEBlocks()))
    (loop,) = loops(lowered)
    shapes = [lowered.get_initializer(name).shape for name in loop.input[1:]]
    assert shapes == [(3, 2, 15), (3, 2, 15), (3, 2, 15), (3, 2, 63)]
    lowered = lower(ode_net((3,), time_bias=False, state_output=False).transform(RollODEBlocks()))
    (loop,) = loops(lowered)
    assert list(loop.input[1:]) == []


def test_bodies_hold_integers_only():
    lowered = lower(ode_net((2,), state_output=False).transform(RollODEBlocks()))
    (loop,) = loops(lowered)
    body = loop_body(loop)
    assert {node.op_type for node in body.graph.node} == {"MultiThreshold", "Conv", "Mul", "Add", "Quant"}
    for node in body.graph.node:
        if node.op_type in ("MultiThreshold", "Conv", "Quant"):
            assert body.get_tensor_datatype(node.output[0]).is_integer()


def test_accumulators_are_as_narrow_as_their_weights_allow():
    net = GraphBuilder()
    x = net.quant("x", bits=8, scale=INPUT_SCALE, signed=0)
    weight = net.quant(net.constant(np.full((1, 1, 1, 1), 3.0)), bits=4, scale=1.0, narrow=1)
    model = net.finish((1, 1, 2, 2), net.quant(net.conv(x, weight, 1), **STATE))
    lowered = lower(model)
    (conv,) = lowered.get_nodes_by_op_type("Conv")
    assert lowered.get_tensor_datatype(conv.output[0]) == DataType["INT11"]  # 3 * 255 = 765


def test_a_falling_function_turns_its_weights_around():
    net = GraphBuilder(seed=5)
    x = net.quant("x", bits=8, scale=INPUT_SCALE, signed=0)
    weight = net.weight(3, 3, 3, 3)
    factor = net.constant(np.float32([0.5, -0.75, 0.25]).reshape(1, 3, 1, 1))
    offset = net.constant(np.float32([0.125, 2.5, -0.5]).reshape(1, 3, 1, 1))
    y = net.node("Add", net.node("Mul", net.conv(x, weight, 3), factor), offset)
    model = net.finish((1, 3, 4, 4), net.quant(y, **STATE))
    assert_same_integers(model, lower(model))


def test_lowering_again_changes_nothing():
    lowered = lower(ode_net((2,), state_output=False))
    again, changed = LowerToIntegers().apply(lowered)
    assert not changed
    assert again is lowered


def _one_conv(input_quantised: bool = True, weight_quantised: bool = True, **state) -> ModelWrapper:
    net = GraphBuilder()
    x = net.quant("x", bits=8, scale=INPUT_SCALE, signed=0) if input_quantised else "x"
    y = net.conv(x, net.weight(2, 2, 3, 3, quantised=weight_quantised), 3)
    return net.finish((1, 2, 4, 4), net.quant(y, **(STATE | state)))


def _zero_point() -> ModelWrapper:
    net = GraphBuilder()
    constants = [net.constant(value) for value in (INPUT_SCALE, 3.0, 8.0)]
    y = net.node("Quant", "x", *constants, domain="qonnx.custom_op.general", signed=0, narrow=0, rounding_mode="ROUND")
    return net.finish((1, 2, 4, 4), y)


def _softmax() -> ModelWrapper:
    net = GraphBuilder()
    return net.finish((1, 2, 4, 4), net.node("Softmax", net.quant("x", **STATE)))


def _open_state() -> ModelWrapper:
    net = GraphBuilder()
    z = net.quant("x", **STATE)
    inc = net.quant(net.conv(z, net.weight(2, 2, 3, 3), 3), **STATE)
    return net.finish((1, 2, 4, 4), net.quant(net.node("Add", z, inc), bits=8, scale=2.0**-3))


def _uneven_increment() -> ModelWrapper:
    net = GraphBuilder()
    z = net.quant("x", **STATE)
    inc = net.quant(net.conv(z, net.weight(2, 2, 3, 3), 3), bits=6, scale=0.03)
    return net.finish((1, 2, 4, 4), net.quant(net.node("Add", z, inc), **STATE))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (_one_conv(input_quantised=False), "Conv_0: its input must be quantised with one scale"),
        (_one_conv(weight_quantised=False), "Conv_0: its weights must be quantised constants"),
        (_zero_point(), "Quant_0: the zero-point must be 0, not 3"),
        (_softmax(), "Softmax_0: no integer form of Softmax is known"),
        (_open_state(), "the state quantiser's scale 0.125 must be the scale of the state that enters"),
        (_uneven_increment(), "increment scale / state scale must be a power of two, not 0.48"),
    ],
)
def test_what_has_no_integer_form_is_named(model, message):
    with pytest.raises(UserError, match=message):
        lower(model)
