"""Hardware graphs compute exactly what the integer graphs do, at any folding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.hardware import DOMAIN
from finn_flow.errors import UserError
from finn_flow.folding.options import apply_folding, legal_foldings
from finn_flow.folding.target import fold_for_cycles
from finn_flow.transformations.bodies import loop_body, loops, set_loop_body
from finn_flow.transformations.convert_to_hardware import ConvertToHardware
from tests.finn_flow.transformations.compiled import assert_same_logits, finish, graphs, hardware, integers
from tests.finn_flow.transformations.qonnx_graphs import STATE, GraphBuilder, ode_net


@settings(max_examples=10)
@given(
    iterations=st.lists(st.integers(2, 4), min_size=1, max_size=2).map(tuple),
    channels=st.integers(2, 4),
    style=st.sampled_from(["ds", "dense"]),
    time_bias=st.booleans(),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_exact_at_any_folding(iterations, channels, style, time_bias, seed, data):
    lowered = integers(ode_net(iterations, channels, style, time_bias, size=5, seed=seed, state_output=False))
    model = hardware(lowered)
    _fold_at_random(model, data)
    assert_same_logits(lowered, finish(model), seed)


def _fold_at_random(model: ModelWrapper, data: st.DataObject) -> None:
    for node in model.graph.node:
        options = legal_foldings(node)
        if options:
            apply_folding(node, data.draw(st.sampled_from(options)))
    for node in loops(model):
        body = loop_body(node)
        _fold_at_random(body, data)
        set_loop_body(node, body)
        channels = body.get_tensor_shape(body.graph.output[0].name)[-1]
        pe = data.draw(st.sampled_from([d for d in range(1, channels + 1) if channels % d == 0]))
        getCustomOp(node).set_nodeattr("PE", pe)


def test_only_hardware_nodes_with_one_reader_per_stream_remain():
    model = finish(hardware(integers(ode_net((2, 3), state_output=False))))
    for graph in graphs(model):
        assert {node.domain for node in graph.graph.node} == {DOMAIN}
        inputs = {value.name for value in graph.graph.input[1:]}  # the iteration index may have several
        streams = [name for node in graph.graph.node for name in node.input if graph.get_initializer(name) is None]
        streams = [name for name in streams if name not in inputs]
        assert len(streams) == len(set(streams))


def test_names_are_unique_in_the_whole_accelerator():
    model = finish(hardware(integers(ode_net((2, 3), state_output=False))))
    names = [node.name for graph in graphs(model) for node in graph.graph.node]
    assert len(names) == len(set(names))


def test_widths_of_neighbours_agree():
    model = hardware(integers(ode_net((2,), channels=4, state_output=False)))
    fold_for_cycles(model, 64)
    model = finish(model)
    for graph in graphs(model):
        words = {}
        for node in graph.graph.node:
            instance = getCustomOp(node)
            for i, name in enumerate(node.input):
                if name in words:
                    assert instance.get_instream_width(i) == words[name], node.name
            words |= {name: instance.get_outstream_width(i) for i, name in enumerate(node.output)}


def test_converting_again_changes_nothing():
    model = hardware(integers(ode_net((2,), state_output=False)))
    again, changed = ConvertToHardware().apply(model)
    assert not changed
    assert again is model


def _conv_net(**options) -> ModelWrapper:
    net = GraphBuilder()
    kernel, group = options.get("kernel", 3), options.get("group", 1)
    x = net.quant("x", bits=8, scale=2.0**-7, signed=0)
    weight = net.weight(4, 4 // group, kernel, kernel)
    pad = options.get("pad", kernel // 2)
    y = net.node(
        "Conv",
        x,
        weight,
        kernel_shape=[kernel] * 2,
        pads=[pad] * 4,
        strides=options.get("strides", [1, 1]),
        group=group,
        dilations=[options.get("dilation", 1)] * 2,
    )
    return net.finish((1, 4, 6, 6), net.quant(y, **STATE))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pad": 0}, r"padding must be kernel // 2 = 1 on every side, not \[0, 0, 0, 0\]"),
        ({"strides": [1, 2]}, r"kernel and stride must be square and dilation 1, not \[3, 3\] and \[1, 2\]"),
        ({"dilation": 2}, "kernel and stride must be square and dilation 1"),
        ({"group": 2}, "group must be 1 or the number of channels 4, not 2"),
    ],
)
def test_what_no_hardware_node_covers_is_named(options, message):
    with pytest.raises(UserError, match=message):
        hardware(integers(_conv_net(**options)))
