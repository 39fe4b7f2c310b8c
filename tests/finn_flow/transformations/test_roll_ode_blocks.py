"""RollODEBlocks on hand-made graphs: what it rolls, and into what."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes

from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from tests.finn_flow.transformations.qonnx_graphs import (
    CHANNELS,
    SHAPE,
    STATE,
    GraphBuilder,
    assert_same_execution,
    euler,
    loop_bodies,
    loop_iterations,
    ode_net,
    roll,
    run,
    small_net,
    vector_field,
)


@settings(max_examples=10)
@given(
    iterations=st.lists(st.integers(2, 4), min_size=1, max_size=2),
    channels=st.integers(1, 3),
    style=st.sampled_from(["ds", "dense", "matmul"]),
    time_bias=st.booleans(),
    quantised_weights=st.booleans(),
    noise=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_rolls_every_block(iterations, channels, style, time_bias, quantised_weights, noise, seed):
    model = ode_net(tuple(iterations), channels, style, time_bias, quantised_weights, seed=seed, noise=noise)
    rolled = roll(model, *iterations)
    for loop, body in zip(rolled.get_nodes_by_op_type("ODELoop"), loop_bodies(rolled), strict=True):
        assert len(loop.input) > 1 or not time_bias
        assert not {"Identity", "Cast"}.intersection(node.op_type for node in body.graph.node)
        assert [name.name for name in body.graph.output] == [body.graph.node[-1].output[0]]


@pytest.mark.parametrize("style", ["ds", "dense", "matmul"])
def test_the_graphs_of_these_tests_compute_something(style):
    results = [run(ode_net((3, 2), 3, style, seed=seed), image) for seed, image in ((0, 0), (1, 0), (0, 1))]
    logits = [next(iter(result.values())) for result in results]
    assert len({array.tobytes() for array in logits}) == 3


def test_the_body_is_one_iteration():
    rolled = roll(ode_net((3,), style="dense"), 3)
    (loop,) = rolled.get_nodes_by_op_type("ODELoop")
    (body,) = loop_bodies(rolled)
    assert rolled.find_producer(loop.input[0]).op_type == "Quant", "the stem's state quantiser stays outside"
    assert [node.op_type for node in body.graph.node] == [
        *("Quant", "Quant"),  # of the weights
        *("Relu", "Quant", "Conv", "Mul", "Add", "Relu", "Quant", "Conv", "Mul", "Add", "Quant", "Add", "Quant"),
    ]
    assert [value.name for value in body.graph.input][:1] == ["state"]
    assert {name.op_type for name in body.find_consumers("state")} == {"Relu", "Add"}
    for outer, inner in zip(loop.input[1:], body.graph.input[1:], strict=True):
        assert rolled.get_initializer(outer).shape == (3, *body.get_tensor_shape(inner.name))
    assert len(loop.input) == 1 + 4


def test_without_differing_constants_there_are_no_parameters():
    rolled = roll(ode_net((4,), time_bias=False), 4)
    assert len(rolled.get_nodes_by_op_type("ODELoop")[0].input) == 1


def test_node_count_and_body_do_not_depend_on_the_iterations():
    few, many = (RollODEBlocks().apply(ode_net((count, count)))[0] for count in (2, 64))
    assert loop_iterations(many) == [64, 64]
    assert [node.op_type for node in few.graph.node] == [node.op_type for node in many.graph.node]
    assert len(few.graph.initializer) == len(many.graph.initializer)
    for one, other in zip(loop_bodies(few), loop_bodies(many), strict=True):
        assert [node.op_type for node in one.graph.node] == [node.op_type for node in other.graph.node]


def test_rolling_time_is_linear():
    model = ode_net((64, 64, 64))
    start = time.process_time()
    RollODEBlocks().apply(model)
    assert time.process_time() - start < 2


def test_blocks_back_to_back_with_different_weights():
    net, z = small_net()
    for count in (2, 3):
        z = euler(net, z, vector_field(net, CHANNELS), count)
    roll(net.finish(SHAPE, z), 2, 3)


def test_blocks_that_share_weights_around_a_strided_layer():
    net, z = small_net()
    field = vector_field(net, CHANNELS, time_bias=False)
    z = euler(net, z, field, 2)
    z = net.quant(net.conv(net.relu(z), net.weight(3, 3, 3, 3), 3, stride=2), **STATE)
    roll(net.finish(SHAPE, euler(net, z, field, 3)), 2, 3)


def test_a_pattern_of_several_steps():
    net, z = small_net()
    first, second = (vector_field(net, CHANNELS, "dense") for _ in range(2))
    for i in range(3):
        z = euler(net, z, lambda z, _, i=i: first(z, i), 1)
        z = euler(net, z, lambda z, _, i=i: second(z, i), 1)
    rolled = roll(net.finish(SHAPE, z), 3)
    assert sum(node.op_type == "Conv" for node in loop_bodies(rolled)[0].graph.node) == 4


def test_a_two_stage_solver():
    net, z = small_net()
    field = vector_field(net, CHANNELS, "dense")
    for i in range(3):
        first = field(z, i)
        middle = net.quant(net.node("Add", z, first), **STATE)
        register = net.node("Sub", field(middle, i), first)
        z = net.quant(net.node("Add", middle, net.node("Mul", register, net.constant(0.5))), **STATE)
    rolled = roll(net.finish(SHAPE, z), 3)
    assert sum(node.op_type == "Conv" for node in loop_bodies(rolled)[0].graph.node) == 4


def test_a_block_without_a_residual():
    net, z = small_net()
    weight = net.weight(3, 3, 3, 3)
    for _ in range(4):
        z = net.quant(net.affine(net.conv(z, weight, 3), CHANNELS), **STATE)
    rolled = roll(net.finish(SHAPE, net.relu(z)), 4)
    assert loop_bodies(rolled)[0].graph.node[-1].op_type == "Quant"


def test_a_long_skip_around_the_block():
    net, z = small_net()
    end = euler(net, z, vector_field(net, CHANNELS), 3)
    roll(net.finish(SHAPE, net.node("Add", z, end)), 3)


def test_blocks_in_parallel_branches():
    net, z = small_net()
    ends = [euler(net, z, vector_field(net, CHANNELS, "dense"), count) for count in (2, 3)]
    roll(net.finish(SHAPE, net.node("Add", *ends)), 2, 3)


def test_a_float_network():
    net = GraphBuilder()
    weight = net.weight(3, 3, 3, 3, quantised=False)
    z = net.node("Relu", "x")
    for _ in range(3):
        z = net.node("Add", z, net.affine(net.conv(z, weight, 3), CHANNELS, scale=0.1))
    roll(net.finish(SHAPE, z), 3)


def test_quantiser_scales_of_activations_may_differ():
    net, z = small_net()
    weight = net.weight(3, 3, 3, 3)
    for scale in (0.25, 0.5, 0.125):
        x = net.quant(net.node("Relu", z), bits=4, scale=scale, signed=0)
        z = net.quant(net.node("Add", z, net.conv(x, weight, 3)), **STATE)
    rolled = roll(net.finish(SHAPE, z), 3)
    (loop,) = rolled.get_nodes_by_op_type("ODELoop")
    np.testing.assert_array_equal(rolled.get_initializer(loop.input[1]), [0.25, 0.5, 0.125])


def test_constants_that_nodes_compute():
    net, z = small_net()
    weight = net.weight(3, 3, 3, 3)
    for i in range(3):
        bias = net.quant(net.constant(np.full((1, 3, 1, 1), 0.25 * i)), bits=6, scale=0.125)
        x = net.node("Add", net.conv(net.relu(z), weight, 3), bias)
        z = net.quant(net.node("Add", z, net.quant(x, bits=6, scale=2.0**-5)), **STATE)
    rolled = roll(net.finish(SHAPE, z), 3)
    (loop,) = rolled.get_nodes_by_op_type("ODELoop")
    np.testing.assert_array_equal(rolled.get_initializer(loop.input[1])[:, 0, 0, 0, 0], [0, 0.25, 0.5])


def test_iteration_indexed_batch_norm_and_convolution_bias():
    net, z = small_net()
    weight = net.weight(3, 3, 3, 3)
    for _ in range(3):
        x = net.conv(net.relu(z), weight, 3, bias=net.constant(net.random.integers(-4, 4, 3) / 8))
        x = net.node("BatchNormalization", x, *(net.constant(net.random.integers(1, 5, 3) / 4) for _ in range(4)))
        z = net.quant(net.node("Add", z, net.quant(x, bits=6, scale=2.0**-5)), **STATE)
    assert len(roll(net.finish(SHAPE, z), 3).get_nodes_by_op_type("ODELoop")[0].input) == 1 + 5


def test_equal_weights_under_different_names_are_shared():
    net, z = small_net()
    field = [vector_field(GraphBuilderAlias(net, seed=7), CHANNELS, "dense", time_bias=False) for _ in range(3)]
    roll(net.finish(SHAPE, euler(net, z, lambda z, i: field[i](z, i), 3)), 3)


class GraphBuilderAlias(GraphBuilder):
    """A builder that adds to another's graph, with random numbers of its own."""

    def __init__(self, other: GraphBuilder, seed: int) -> None:
        super().__init__(seed)
        self.nodes, self.initialisers = other.nodes, other.initialisers


def test_unsorted_nodes_and_dead_nodes():
    model = ode_net((2,), style="dense")
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    dead = model.graph.node.add()
    dead.CopyFrom(next(node for node in nodes if node.op_type == "Relu"))
    dead.output[0] = "nobody_reads_this"
    model = model.transform(InferShapes(), cleanup=False)
    rolled, changed = RollODEBlocks().apply(ModelWrapper(model.model, make_deepcopy=True))
    assert changed
    assert "nobody_reads_this" not in rolled.get_all_tensor_names()
    assert_same_execution(ode_net((2,), style="dense"), rolled)


def test_missing_shapes_are_inferred():
    model = ode_net((2,))
    original = ModelWrapper(model.model, make_deepcopy=True)
    del model.graph.value_info[:]
    rolled, _ = RollODEBlocks().apply(model)
    assert_same_execution(original, rolled)


def test_shapes_and_datatypes_are_inferred_through_the_loop():
    rolled = roll(ode_net((3,)), 3)
    (loop,) = rolled.get_nodes_by_op_type("ODELoop")
    shape = rolled.get_tensor_shape(loop.output[0])
    del rolled.graph.value_info[:]
    rolled.graph.output[1].type.tensor_type.ClearField("shape")
    rolled = rolled.transform(InferShapes())
    assert rolled.get_tensor_shape(loop.output[0]) == shape
    rolled = rolled.transform(InferDataTypes(allow_scaledint_dtypes=True))
    assert rolled.get_tensor_datatype(loop.input[0]).name == "SCALEDINT<8>"
    assert rolled.get_tensor_datatype(loop.output[0]).name == "SCALEDINT<8>"


def test_narrow_range_and_layout_changes_do_not_matter():
    net = GraphBuilder()
    z = net.quant(net.affine("x", CHANNELS), bits=8, scale=2.0**-4, narrow=1)
    z = net.node("Transpose", z, perm=[0, 1, 3, 2])
    roll(net.finish(SHAPE, euler(net, z, vector_field(net, CHANNELS), 2)), 2)


def test_an_intermediate_state_that_is_read_elsewhere_splits_the_block():
    net, z = small_net()
    field = vector_field(net, CHANNELS, "dense")
    middle = euler(net, z, field, 2)
    roll(net.finish(SHAPE, middle, euler(net, middle, field, 3)), 2, 3)
