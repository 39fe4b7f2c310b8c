"""Hardware graphs compute exactly what the integer graphs do, at any folding."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.graph_execution import run_nodes
from custom_ops.hardware import DOMAIN
from finn_flow.errors import UserError
from finn_flow.execution import execute_batch
from finn_flow.folding.options import apply_folding, legal_foldings
from finn_flow.folding.target import fold_for_cycles
from finn_flow.transformations.bodies import change_bodies, loop_body, loops, set_loop_body
from finn_flow.transformations.convert_to_hardware import ConvertToHardware
from finn_flow.transformations.name_nodes import NameNodes
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


def _layer_net(shape: tuple[int, ...], layer: Callable[[GraphBuilder, str], str]) -> ModelWrapper:
    """Image, quantiser, `layer`, quantiser, sum over the map, linear layer."""
    net = GraphBuilder(seed=3)
    y = net.quant(layer(net, net.quant("x", bits=4, scale=2.0**-3, signed=0)), bits=6, scale=2.0**-1)
    return net.finish((1, *shape), y)


def _conv(*weight: int, **options) -> Callable[[GraphBuilder, str], str]:
    kernel = list(weight[2:])
    attributes = {
        "pads": [0] * 2 * len(kernel),
        "strides": [1] * len(kernel),
        "dilations": [1] * len(kernel),
        "group": 1,
    }
    attributes |= {"kernel_shape": kernel, **options}
    return lambda net, x: net.node("Conv", x, net.weight(*weight), **attributes)


def _pool(kind: str, **attributes) -> Callable[[GraphBuilder, str], str]:
    return lambda net, x: net.node(kind, x, **attributes)


def _flattened(net: GraphBuilder, x: str) -> str:
    z = net.quant(net.conv(x, net.weight(4, 4, 3, 3), 3), bits=4, scale=2.0)
    flat = net.node("Flatten", z, axis=1)
    shifted = net.quant(net.affine(flat, 4 * 30, shape=(1, 4 * 30)), bits=5, scale=0.5)
    return net.node("MatMul", shifted, net.weight(4 * 30, 3))


LAYERS = {
    "1x3": ((4, 5, 6), _conv(3, 4, 1, 3, pads=[0, 1, 0, 1]), "ConvolutionInputGenerator_rtl"),
    "3x1": ((4, 5, 6), _conv(3, 4, 3, 1, pads=[1, 0, 1, 0]), "ConvolutionInputGenerator_rtl"),
    "5x5": ((2, 6, 6), _conv(3, 2, 5, 5, pads=[2] * 4), "FMPadding_rtl"),
    "unpadded": ((4, 5, 6), _conv(3, 4, 3, 3), "ConvolutionInputGenerator_rtl"),
    "padded unevenly": ((4, 5, 6), _conv(3, 4, 2, 3, pads=[1, 2, 0, 1]), "FMPadding_rtl"),
    "strides differ": ((4, 6, 6), _conv(3, 4, 3, 3, pads=[1] * 4, strides=[1, 2]), "FMPadding_rtl"),
    "dilated": ((4, 6, 6), _conv(3, 4, 3, 3, pads=[2] * 4, dilations=[2, 2]), "FMPadding_rtl"),
    "two groups": ((4, 5, 6), _conv(6, 2, 3, 3, pads=[1] * 4, group=2), "MVAU_rtl"),
    "channel multiplier": ((2, 5, 6), _conv(4, 1, 3, 3, pads=[1] * 4, group=2), "MVAU_rtl"),
    "depthwise": ((4, 5, 6), _conv(4, 1, 3, 3, pads=[1] * 4, group=4), "DepthwiseConv_rtl"),
    "depthwise 7x7": ((4, 7, 6), _conv(4, 1, 7, 7, pads=[3] * 4, group=4), "WindowReduce_rtl"),
    "depthwise, dilated": ((4, 5, 6), _conv(4, 1, 3, 3, pads=[2] * 4, dilations=[2, 2], group=4), "WindowReduce_rtl"),
    "one axis": ((4, 9), _conv(3, 4, 3, pads=[1, 1]), "FMPadding_rtl"),
    "one axis, depthwise": ((4, 9), _conv(4, 1, 5, pads=[2, 2], strides=[2], group=4), "WindowReduce_rtl"),
    "max pool": ((4, 6, 6), _pool("MaxPool", kernel_shape=[2, 2], strides=[2, 2]), "WindowReduce_rtl"),
    "max pool, padded": (
        (4, 5, 5),
        _pool("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
        "WindowReduce_rtl",
    ),
    "average pool": ((4, 6, 6), _pool("AveragePool", kernel_shape=[2, 2], strides=[2, 2]), "WindowReduce_rtl"),
    "whole-map average": ((4, 5, 6), _pool("AveragePool", kernel_shape=[5, 6]), "GlobalSumPool_rtl"),
    "whole-map maximum": ((4, 5, 6), _pool("GlobalMaxPool"), "WindowReduce_rtl"),
    "flattened": ((4, 5, 6), _flattened, "MVAU_rtl"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_every_form_are_exact(name):
    shape, layer, op_type = LAYERS[name]
    model = _layer_net(shape, layer)
    lowered = integers(model)
    converted = lowered.transform(ConvertToHardware()).transform(NameNodes())
    assert converted.get_nodes_by_op_type(op_type)
    codes = np.random.default_rng(0).integers(0, 16, (5, *shape))
    expected = execute_batch(lowered, codes)
    np.testing.assert_array_equal(expected * 0.5, execute_batch(model, codes * np.float32(2.0**-3)))
    frames = np.moveaxis(codes, 1, -1).reshape(5, shape[1], -1, shape[0])
    if converted.graph.node[-1].op_type == "TopK_rtl":  # it takes vectors only
        converted.graph.node.pop()
    result = converted.graph.node[-1].output[0]
    for frame, wanted in zip(frames, expected, strict=True):
        found = run_nodes(converted, {converted.graph.input[0].name: frame[np.newaxis].astype(np.float32)})[result]
        np.testing.assert_array_equal(np.moveaxis(found, -1, 1).reshape(wanted.shape), wanted)


def test_accumulators_are_as_wide_as_a_product():
    net = GraphBuilder()
    x = net.quant("x", bits=8, scale=2.0**-7, signed=0)
    weight = net.quant(net.constant(np.zeros((4, 3, 1, 1))), bits=4, scale=1.0)
    lowered = integers(net.finish((1, 3, 2, 2), net.quant(net.conv(x, weight, 1), **STATE)))
    (mvau,) = lowered.transform(ConvertToHardware()).get_nodes_by_op_type("MVAU_rtl")
    instance = getCustomOp(mvau)
    widths = [instance.get_input_datatype(i).bitwidth() for i in range(2)]
    assert instance.get_output_datatype().bitwidth() == sum(widths)


def _without_weights(model: ModelWrapper) -> ModelWrapper:
    """Set all weights to zero: no accumulator needs more than two bits then."""
    for layer in model.get_nodes_by_op_type("Conv"):
        model.set_initializer(layer.input[1], np.zeros_like(model.get_initializer(layer.input[1])))
        model.set_tensor_datatype(layer.output[0], DataType["INT2"])
    return model


def test_accumulators_in_loop_bodies_are_as_wide_as_a_product():
    lowered = integers(ode_net((2,), style="dense", state_output=False))
    change_bodies(lowered, _without_weights)
    units = [op for graph in graphs(hardware(lowered)) for op in graph.get_nodes_by_op_type("MVAU_rtl")]
    assert any(unit.name.startswith("ODELoop") for unit in units)
    for unit in map(getCustomOp, units):
        assert unit.get_output_datatype().bitwidth() >= sum(unit.get_input_datatype(i).bitwidth() for i in range(2))


def _refused(shape: tuple[int, ...], layer: Callable[[GraphBuilder, str], str]) -> str:
    with pytest.raises(UserError) as error:
        integers(_layer_net(shape, layer))
    return str(error.value)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (_pool("AveragePool", kernel_shape=[3, 3], pads=[1] * 4), "windows at the border have another divisor"),
        (_pool("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1), "its last window reaches beyond the map"),
        (_conv(4, 4, 3, 3, auto_pad="SAME_UPPER"), "padding must be given by pads, not by auto_pad=SAME_UPPER"),
    ],
)
def test_what_has_no_hardware_is_named(layer, message):
    assert message in _refused((4, 5, 5), layer)


@pytest.mark.parametrize(
    ("shape", "kernel", "strides"),
    [
        ((2, 3, 6), [2, 3], [2, 2]),
        ((2, 1, 6), [1, 3], [2, 2]),
        ((3, 2, 2), [1, 1], [3, 3]),
        ((2, 4, 1), [3, 1], [1, 2]),
    ],
)
def test_strides_that_leave_rows_out_or_go_beyond_the_map(shape, kernel, strides):
    net = GraphBuilder()
    x = net.quant("x", bits=8, scale=2.0**-8, signed=0)
    attributes = {"kernel_shape": kernel, "strides": strides, "pads": [0] * 4, "dilations": [1, 1], "group": 1}
    y = net.quant(net.node("Conv", x, net.weight(4, shape[0], *kernel), **attributes), bits=4, scale=0.25)
    sizes = [(size - k) // step + 1 for size, k, step in zip(shape[1:], kernel, strides, strict=True)]
    flat = net.node("Flatten", y, axis=1)
    lowered = integers(net.finish((1, *shape), net.node("MatMul", flat, net.weight(4 * int(np.prod(sizes)), 3))))
    assert_same_logits(lowered, finish(hardware(lowered)))


def test_windows_that_finn_cannot_generate_are_refused():
    net = GraphBuilder()
    x = net.quant("x", bits=8, scale=2.0**-8, signed=0)
    attributes = {"kernel_shape": [1, 2], "strides": [1, 1], "pads": [0] * 4, "dilations": [1, 1], "group": 1}
    y = net.node("Flatten", net.node("Conv", x, net.weight(4, 1, 1, 2), **attributes), axis=1)
    with pytest.raises(UserError, match=r"^Conv_t\d+: FINN cannot generate 1x1 windows of \[1, 2\] pixels with stride"):
        hardware(integers(net.finish((1, 1, 1, 2), net.node("MatMul", net.quant(y, 4, 0.25), net.weight(4, 3)))))
