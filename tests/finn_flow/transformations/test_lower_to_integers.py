"""The graph of integers computes exactly what the float graph does, and says so when it cannot."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.execution import execute_batch
from finn_flow.steps.frontend import step_lower_to_integers
from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.transformations.interface import read_outputs
from finn_flow.transformations.lower_to_integers import LowerToIntegers
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from tests.finn_flow.transformations.qonnx_graphs import STATE, GraphBuilder, ode_net

INPUT_SCALE = 2.0**-7


def lower(model: ModelWrapper) -> ModelWrapper:
    return step_lower_to_integers.__wrapped__(model, None)


def assert_same_integers(model: ModelWrapper, lowered: ModelWrapper, seed: int = 0) -> None:
    """Same logits for random images, once the codes are multiplied by their scale; every tensor holds integers."""
    shape = model.get_tensor_shape(model.graph.input[0].name)
    codes = np.random.default_rng(seed).integers(0, 256, (8, *shape[1:])).astype(np.float32)
    values = codes * np.float32(INPUT_SCALE)
    expected = np.concatenate([execute_batch(model, value[np.newaxis]) for value in values])
    found = execute_batch(lowered, codes)
    np.testing.assert_array_equal(found, np.rint(found))
    np.testing.assert_array_equal(found * read_outputs(lowered)[0].scale[0], expected)


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
    assert {node.op_type for node in body.graph.node} == {"MultiThreshold", "Conv", "ODEUpdate"}
    for node in body.graph.node:
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


def _one_layer(function: Callable[[GraphBuilder, str], str], **target) -> ModelWrapper:
    """Image, convolution, `function` of its result, quantiser."""
    net = GraphBuilder(seed=7)
    x = net.quant("x", bits=8, scale=INPUT_SCALE, signed=0)
    y = function(net, net.conv(x, net.weight(3, 3, 3, 3), 3))
    return net.finish((1, 3, 4, 4), net.quant(y, **(STATE | target)))


@pytest.mark.parametrize(
    "function",
    [
        lambda net, y: net.node("Clip", y, net.constant(0.0), net.constant(6.0)),
        lambda net, y: net.node("LeakyRelu", net.affine(y, 3), alpha=0.1),
        lambda net, y: net.node("Tanh", net.affine(y, 3)),
        lambda net, y: net.node("Sigmoid", y),
        lambda net, y: net.node("Softplus", y),
        lambda net, y: net.node("Mul", y, net.node("Sigmoid", y)),
        lambda net, y: net.node("HardSwish", y),
        lambda net, y: net.node("PRelu", y, net.constant(np.float32([0.5, -0.25, 0.125]).reshape(3, 1, 1))),
        lambda net, y: net.node("Neg", y),
        lambda net, y: net.node("Abs", net.node("Sub", net.constant(1.5), y)),
        lambda net, y: net.node("Max", net.node("Min", y, net.constant(2.0)), net.constant(-1.5)),
    ],
)
def test_elementwise_functions_of_any_form(function):
    model = _one_layer(function)
    assert_same_integers(model, lower(model))


@pytest.mark.parametrize("target", [{"bits": 1}, {"bits": 1, "signed": 0}, {"bits": 3, "narrow": 1}])
def test_quantisers_of_few_bits(target):
    model = _one_layer(lambda net, y: net.affine(y, 3), **target)
    assert_same_integers(model, lower(model))


def _two_readers_of(second: Callable[[GraphBuilder, str], str], increment: dict, step: float | None = None):
    """A state, what `second` makes of it, and their quantised sum."""
    net = GraphBuilder(seed=3)
    x = net.quant("x", bits=8, scale=INPUT_SCALE, signed=0)
    z = net.quant(net.affine(net.conv(x, net.weight(3, 3, 3, 3), 3), 3), **STATE)
    inc = net.quant(second(net, z), **(STATE | increment))
    inc = inc if step is None else net.node("Mul", inc, net.constant(step))
    return net.finish((1, 3, 4, 4), net.quant(net.node("Add", z, inc), **STATE))


@pytest.mark.parametrize("increment", [{}, {"scale": 0.03, "bits": 6}, {"scale": 0.4}, {"signed": 0}, {"narrow": 1}])
@pytest.mark.parametrize("step", [None, 0.25, 0.1, -0.7])
def test_increments_of_any_scale(increment, step):
    model = _two_readers_of(lambda net, z: net.affine(net.conv(z, net.weight(3, 3, 3, 3), 3), 3), increment, step)
    assert_same_integers(model, lower(model))


def test_a_falling_function_of_a_state_that_others_read_is_a_table():
    model = _two_readers_of(lambda net, z: net.node("Mul", z, net.constant([[[[-0.5]], [[0.5]], [[-1.5]]]])), {})
    lowered = lower(model)
    assert lowered.get_nodes_by_op_type("Lookup")
    assert_same_integers(model, lowered)


def test_batch_norms_of_their_own_in_each_iteration():
    net = GraphBuilder(seed=4)
    x = net.quant("x", bits=8, scale=INPUT_SCALE, signed=0)
    z = net.quant(net.affine(net.conv(x, net.weight(2, 3, 3, 3), 3), 2), **STATE)
    weight = net.weight(2, 2, 3, 3)
    for _ in range(3):
        draws = (net.random.uniform(0.5, 1.5, 2) * [1, -1], *net.random.uniform(-1, 1, (2, 2)), [0.5, 2.0])
        y = net.node("BatchNormalization", net.conv(net.relu(z), weight, 3), *map(net.constant, draws))
        z = net.quant(net.node("Add", z, net.quant(y, **STATE)), **STATE)
    model = net.finish((1, 3, 4, 4), z)
    lowered = lower(model.transform(RollODEBlocks()))
    assert len(next(loops(lowered)).input) == 2  # the state, and thresholds of each iteration
    assert_same_integers(model, lowered)


def _time_as_a_channel(steps: int, quantised: bool) -> ModelWrapper:
    """Every convolution of the field also takes a channel that holds the time."""
    net = GraphBuilder(seed=9)
    x = net.quant("x", bits=8, scale=INPUT_SCALE, signed=0)
    z = net.quant(net.affine(net.conv(x, net.weight(2, 3, 3, 3), 3), 2), **STATE)
    weight = net.weight(2, 3, 3, 3)
    offset = net.constant(np.float32([0.25, -0.5]).reshape(1, 2, 1, 1))
    for step in range(steps):
        time = net.constant(np.full((1, 1, 5, 5), 0.3 * step + 0.1))
        y = net.node("Concat", time, net.relu(z), axis=1)
        y = net.quant(y, bits=4, scale=2.0**-2, signed=0) if quantised else y
        inc = net.quant(net.node("Add", net.conv(y, weight, 3), offset), **STATE)
        z = net.quant(net.node("Add", z, inc), **STATE)
    return net.finish((1, 3, 5, 5), z)


@pytest.mark.parametrize("quantised", [False, True])
@pytest.mark.parametrize("rolled", [False, True])
def test_time_as_a_channel_makes_thresholds_of_each_kind_of_pixel(rolled, quantised):
    model = _time_as_a_channel(3, quantised)
    lowered = lower(model.transform(RollODEBlocks()) if rolled else model)
    graph = loop_body(next(loops(lowered))) if rolled else lowered
    kinds = {
        tuple(getCustomOp(node).get_nodeattr("positions")) for node in graph.get_nodes_by_op_type("PositionThreshold")
    }
    assert {len(set(positions)) for positions in kinds} == {9}  # corners, edges, inside
    assert_same_integers(model, lowered)


def test_weights_that_would_grow_when_negated_stay():
    net = GraphBuilder()
    x = net.quant("x", bits=8, scale=INPUT_SCALE, signed=0)
    weight = net.quant(net.constant(np.full((2, 2, 1, 1), -8.0)), bits=4, scale=1.0)
    y = net.node("Mul", net.conv(x, weight, 1), net.constant([[[[-0.5]], [[0.5]]]]))
    model = net.finish((1, 2, 2, 2), net.quant(y, **STATE))
    lowered = lower(model)
    (conv,) = lowered.get_nodes_by_op_type("Conv")
    assert lowered.get_tensor_datatype(conv.input[1]) == DataType["INT4"]
    assert_same_integers(model, lowered)


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
    return net.finish((1, 2, 4, 4), net.quant(net.node("Softmax", net.quant("x", **STATE)), **STATE))


def _unquantised_increment() -> ModelWrapper:
    net = GraphBuilder()
    z = net.quant("x", **STATE)
    inc = net.affine(net.conv(z, net.weight(2, 2, 3, 3, bits=8), 3), 2)
    return net.finish((1, 2, 4, 4), net.quant(net.node("Add", z, inc), **STATE))


def _product() -> ModelWrapper:
    net = GraphBuilder()
    z = net.quant("x", **STATE)
    gate = net.quant(net.conv(z, net.weight(2, 2, 3, 3), 3), **STATE)
    return net.finish((1, 2, 4, 4), net.quant(net.node("Mul", z, gate), **STATE))


def _sixteen_bits() -> ModelWrapper:
    return _one_conv(bits=16)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (_one_conv(input_quantised=False), "Conv_t.: reads the image, which is not quantised; put `qnn.QuantIdentity"),
        (_one_conv(weight_quantised=False), "Conv_t.: its weights must be quantised constants"),
        (_zero_point(), "Quant_t.: the zero-point must be 0, not 3"),
        (_softmax(), "Softmax_t.: no integer form of Softmax is known"),
        (_unquantised_increment(), r"Quant_t\d+: operand \w+ of the sum before it is not quantised to few bits"),
        (_product(), "is no sum or difference of a function of each"),
        (_sixteen_bits(), "Quant_t.: needs 65,535 steps per channel, more than 4095; quantise to at most 12 bits"),
    ],
)
def test_what_has_no_integer_form_is_named(model, message):
    with pytest.raises(UserError, match=message):
        lower(model)
