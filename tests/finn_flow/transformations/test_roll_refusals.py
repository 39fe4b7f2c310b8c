"""RollODEBlocks on hand-made graphs: what it leaves alone, saying why, and what it refuses."""

import logging

import pytest
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import FlowError, UserError
from finn_flow.transformations.graph_index import GraphIndex
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from tests.finn_flow.transformations.qonnx_graphs import (
    CHANNELS,
    SHAPE,
    STATE,
    GraphBuilder,
    euler,
    loop_iterations,
    ode_net,
    small_net,
    vector_field,
)


def reasons(model: ModelWrapper) -> str:
    """Check that nothing is rolled and return the reason given with `require`; it says the same without."""
    transformation = RollODEBlocks(require=False)
    unchanged, changed = transformation.apply(ModelWrapper(model.model, make_deepcopy=True))
    assert not changed
    assert unchanged.model.SerializeToString() == model.model.SerializeToString()
    with pytest.raises(UserError, match=r"^no ODE block found: ") as caught:
        RollODEBlocks().apply(model)
    assert all(reason in str(caught.value) for reason in transformation.left_alone)
    return str(caught.value)


def test_a_network_without_shared_weights():
    net, z = small_net()
    z = net.conv(net.relu(z), net.weight(3, 3, 3, 3), 3)
    assert "no two layers share a weight" in reasons(net.finish(SHAPE, z))


def test_alike_steps_with_different_weights():
    net, z = small_net()
    for _ in range(2):
        z = euler(net, z, vector_field(net, CHANNELS, "dense"), 1)
    assert "are alike, but their weights differ" in reasons(net.finish(SHAPE, z))


def test_a_second_state():
    net, z = small_net()
    field = vector_field(net, CHANNELS, "dense")
    v = net.relu(z)
    for i in range(3):
        z, v = net.quant(net.node("Add", z, v), **STATE), net.quant(net.node("Add", v, field(z, i)), **STATE)
    message = reasons(net.finish(SHAPE, net.node("Add", z, v)))
    assert "a loop carries one tensor from an iteration to the next, but 't" in message


def test_the_first_state_enters_every_iteration():
    net, z = small_net()
    field = vector_field(net, CHANNELS, "dense")
    end = euler(net, z, lambda state, i: field(net.node("Add", state, z), i), 3)
    assert f"but '{z}' and" in reasons(net.finish(SHAPE, end))


def test_intermediate_states_as_outputs():
    net, z = small_net()
    field = vector_field(net, CHANNELS, "dense")
    states = [z]
    for i in range(3):
        states.append(euler(net, states[-1], lambda z, _, i=i: field(z, i), 1))
    message = reasons(net.finish(SHAPE, *states[1:]))
    assert f"the model has an output between the first two of them, '{states[1]}'" in message


def test_iterations_that_differ_in_an_operator():
    net, z = small_net()
    weight = net.weight(3, 3, 3, 3)
    for operator in ("Relu", "Sigmoid"):
        x = net.conv(net.node(operator, z), weight, 3)
        z = net.quant(net.node("Add", z, x), **STATE)
    message = reasons(net.finish(SHAPE, z))
    assert "the parts between them differ at node 'Relu_" in message
    assert "and node 'Sigmoid_" in message


def test_iterations_that_differ_in_a_bit_width():
    net, z = small_net()
    weight = net.weight(3, 3, 3, 3)
    for bits in (4, 5):
        x = net.conv(net.quant(net.node("Relu", z), bits=bits, scale=0.25, signed=0), weight, 3)
        z = net.quant(net.node("Add", z, x), **STATE)
    assert "differ at node 'Quant_" in reasons(net.finish(SHAPE, z))


def test_what_is_left_alone_beside_a_block_is_logged(caplog):
    net, z = small_net()
    z = euler(net, z, vector_field(net, CHANNELS), 2)
    tied = net.weight(3, 3, 3, 3)
    ends = [net.conv(branch, tied, 3) for branch in (z, net.node("Relu", z))]
    transformation = RollODEBlocks()
    with caplog.at_level(logging.WARNING):
        rolled, _ = transformation.apply(net.finish(SHAPE, net.node("Add", *ends)))
    assert loop_iterations(rolled) == [2]
    assert len(transformation.left_alone) == 1
    assert f"left alone: weight '{tied}' is shared by 'Conv_" in caplog.text


def refusal(net: GraphBuilder, *outputs: str) -> str:
    with pytest.raises(UserError) as caught:
        RollODEBlocks().apply(net.finish(SHAPE, *outputs))
    return str(caught.value)


@pytest.mark.parametrize(
    ("entry", "described"),
    [
        ({"bits": 8, "scale": 2.0**-3}, "signed 8-bit, scale 0.125"),
        ({"bits": 6, "scale": 2.0**-4}, "signed 6-bit, scale 0.0625"),
        ({"bits": 8, "scale": 2.0**-4, "signed": 0}, "unsigned 8-bit, scale 0.0625"),
    ],
)
def test_a_state_that_enters_with_another_quantiser(entry, described):
    net = GraphBuilder()
    z = net.quant(net.affine("x", CHANNELS), **entry)
    message = refusal(net, euler(net, z, vector_field(net, CHANNELS), 3))
    assert message.startswith(f"ODE block from '{z}' to ")
    assert f"(3 iterations): the state must keep its datatype and scale, but '{z}' is {described}" in message
    assert "is signed 8-bit, scale 0.0625" in message


def test_a_state_that_enters_as_floats():
    net = GraphBuilder()
    assert "but 'x' is not quantised and" in refusal(net, euler(net, "x", vector_field(net, CHANNELS), 2))


def test_a_state_that_is_not_quantised_again():
    net, z = small_net()
    field = vector_field(net, CHANNELS)
    start = z
    for i in range(3):
        z = net.node("Add", z, field(z, i))
    assert f"but '{start}' is signed 8-bit, scale 0.0625" in refusal(net, z)


def test_state_scales_that_change_on_the_way():
    net, z = small_net()
    field = vector_field(net, CHANNELS)
    for scale in (2.0**-4, 2.0**-5, 2.0**-4):
        z = net.quant(net.node("Add", z, field(z, 0)), bits=8, scale=scale)
    assert "is signed 8-bit, scale 0.03125" in refusal(net, z)


def test_a_state_that_changes_its_shape():
    net, z = small_net()
    weight = net.weight(3, 3, 3, 3)
    for _ in range(2):
        z = net.quant(net.conv(net.relu(z), weight, 3, stride=2), **STATE)
    assert "must keep its shape, but" in (message := refusal(net, z))
    assert "has shape [1, 3, 4, 4]" in message
    assert "has [1, 3, 2, 2]" in message


def test_the_index_refuses_unsorted_graphs():
    model = ode_net((2,))
    first = model.graph.node[-1]
    model.graph.node.insert(0, first)
    model.graph.node.pop()
    with pytest.raises(FlowError, match="is computed: the graph is not sorted"):
        GraphIndex(model)
