"""However a network is written, its integers are those of the file; held against QONNX's execution of the file."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.model_file import load_model
from finn_flow.proof import Proof
from finn_flow.proof.frames import FRAMES
from finn_flow.steps.frontend import step_lower_to_integers
from finn_flow.transformations.interface import read_input, read_outputs
from finn_flow.transformations.normal_form import ToNormalForm
from tests.finn_flow.transformations.qonnx_graphs import STATE, GraphBuilder

SHAPE = (1, 2, 5, 4)


def classifier(net: GraphBuilder, x: str) -> str:
    """Convolution, ReLU, pool, linear layer on a quantised image of 2 channels."""
    y = net.relu(net.affine(net.conv(x, net.weight(3, 2, 3, 3), 3), 3))
    pooled = net.node("ReduceMean", y, net.constant([2, 3], np.int64), keepdims=0)
    return net.node("MatMul", net.quant(pooled, **STATE), net.weight(3, 4))


def image(net: GraphBuilder, x: str = "x") -> str:
    return net.quant(x, bits=8, scale=2.0**-8, signed=0)


def prove(model: ModelWrapper, path) -> ModelWrapper:
    """Return the integers of a model, held against its file."""
    ensure_finn()
    model.save(str(path))
    prepared, _ = ToNormalForm().apply(load_model(path))
    integers = step_lower_to_integers(prepared, None)
    proof = Proof(path)
    proof.check(prepared)
    proof.check(integers)
    assert proof.compared == {"integers": FRAMES}
    return integers


def as_given(build) -> ModelWrapper:
    net = GraphBuilder(seed=3)
    return net.finish(SHAPE, build(net))


def channels_last(net: GraphBuilder) -> str:
    return classifier(net, net.node("Transpose", image(net), perm=[0, 3, 1, 2]))


def there_and_back(net: GraphBuilder) -> str:
    """Every layer between two Transposes, as exporters of channels-last networks write them."""
    x = net.node("Transpose", image(net), perm=[0, 2, 3, 1])
    x = net.quant(net.node("Relu", x), bits=6, scale=2.0**-6, signed=0)
    scaled = net.node("Mul", x, net.constant([0.5, 1.5]))
    return classifier(net, net.quant(net.node("Transpose", scaled, perm=[0, 3, 1, 2]), bits=6, scale=2.0**-6))


def pooled_channels_last(net: GraphBuilder) -> str:
    y = net.relu(net.conv(image(net), net.weight(3, 2, 3, 3), 3))
    turned = net.node("Transpose", y, perm=[0, 2, 3, 1])
    pooled = net.node("ReduceMean", turned, net.constant([1, 2], np.int64), keepdims=0)
    return net.node("MatMul", net.quant(pooled, **STATE), net.weight(3, 4))


def normalised(net: GraphBuilder) -> str:
    mean, deviation = (net.constant(np.reshape(values, (1, 2, 1, 1))) for values in ([0.5, 0.25], [0.25, 0.5]))
    x = net.node("Div", net.node("Sub", "x", mean), deviation)
    return classifier(net, net.quant(x, bits=8, scale=2.0**-6))


def two_quantisers(net: GraphBuilder) -> str:
    fine = net.quant(net.conv(image(net), net.weight(2, 2, 3, 3), 3), **STATE)
    coarse = net.quant(net.conv(net.quant("x", bits=3, scale=2.0**-3), net.weight(2, 2, 1, 1), 1), **STATE)
    return classifier(net, net.quant(net.node("Add", fine, coarse), **STATE))


def transposed_weights(net: GraphBuilder) -> str:
    y = net.relu(net.conv(image(net), net.weight(3, 2, 3, 3), 3))
    pooled = net.quant(net.node("ReduceMean", y, net.constant([2, 3], np.int64), keepdims=0), **STATE)
    return net.node("MatMul", pooled, net.node("Transpose", net.weight(4, 3), perm=[1, 0]))


def softmax(net: GraphBuilder) -> str:
    return net.node("Softmax", classifier(net, image(net)), axis=1)


def computed_shape(net: GraphBuilder) -> str:
    """`x.view(x.shape[0], -1)`, as TorchScript writes it."""
    y = net.relu(net.conv(image(net), net.weight(3, 2, 3, 3), 3))
    pooled = net.node("ReduceMean", y, net.constant([2, 3], np.int64), keepdims=1)
    batch = net.node("Gather", net.node("Shape", pooled), net.constant(0, np.int64), axis=0)
    rows = net.node("Unsqueeze", batch, net.constant([0], np.int64))
    flat = net.node("Reshape", pooled, net.node("Concat", rows, net.constant([-1], np.int64), axis=0))
    return net.node("MatMul", net.quant(flat, **STATE), net.weight(3, 4))


WAYS = [
    channels_last,
    there_and_back,
    pooled_channels_last,
    normalised,
    two_quantisers,
    transposed_weights,
    softmax,
    computed_shape,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_integers_are_those_of_the_file(way, tmp_path) -> None:
    model = as_given(way)
    if way is channels_last:
        dims = model.graph.input[0].type.tensor_type.shape.dim
        for dim, size in zip(dims, (1, 5, 4, 2), strict=True):
            dim.dim_value = size
        del model.graph.value_info[:]
    integers = prove(model, tmp_path / "model.onnx")
    assert not {"Transpose", "Shape", "Softmax"} & {node.op_type for node in integers.graph.node}
    assert integers.get_tensor_shape(integers.graph.input[0].name) == [1, 2, 5, 4]


def test_what_is_left_to_the_host_is_said() -> None:
    prepared, _ = ToNormalForm().apply(as_given(normalised))
    form = read_input(prepared)
    assert [(step.op_type, step.constant) for step in form.steps] == [("Sub", (0.5, 0.25)), ("Div", (0.25, 0.5))]
    assert (form.codes.lowest, form.codes.highest, form.exact_codes_only) == (-128, 127, False)
    prepared, _ = ToNormalForm().apply(as_given(two_quantisers))
    assert read_input(prepared).exact_codes_only
    model = as_given(softmax)
    (given,) = [value.name for value in model.graph.output]
    (output,) = read_outputs(ToNormalForm().apply(model)[0])
    assert (output.name, output.tensor) == (given, model.find_producer(given).input[0])


@pytest.mark.parametrize("batch", [0, 4])
def test_any_batch(batch, tmp_path) -> None:
    model = as_given(lambda net: classifier(net, image(net)))
    del model.graph.value_info[:]
    for value in (*model.graph.input, *model.graph.output):
        dim = value.type.tensor_type.shape.dim[0]
        dim.dim_param = "N"
        if batch:
            dim.dim_value = batch
    integers = prove(model, tmp_path / "model.onnx")
    assert integers.get_tensor_shape(integers.graph.input[0].name)[0] == 1


def test_an_image_of_bytes_is_scaled_inside(tmp_path) -> None:
    def build(net: GraphBuilder) -> str:
        x = net.node("Div", net.node("Cast", "x", to=TensorProto.FLOAT), net.constant(255.0))
        return classifier(net, net.quant(x, bits=6, scale=2.0**-6, signed=0))

    net = GraphBuilder(seed=3)
    output = build(net)
    graph = helper.make_graph(
        net.nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, SHAPE)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, (1, 4))],
        initializer=net.initialisers,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("qonnx.custom_op.general", 2)]
    integers = prove(ModelWrapper(helper.make_model(graph, opset_imports=opsets)), tmp_path / "model.onnx")
    assert integers.get_tensor_datatype(integers.graph.input[0].name).name == "UINT8"


def test_quantize_clip_dequantize(tmp_path) -> None:
    net = GraphBuilder(seed=3)
    scale, zero = net.constant(2.0**-4), net.constant(0, np.int8)

    def qcdq(x: str, low: int, high: int) -> str:
        y = net.node("QuantizeLinear", x, scale, zero)
        y = net.node("Clip", y, net.constant(low, np.int8), net.constant(high, np.int8))
        return net.node("DequantizeLinear", y, scale, zero)

    codes = net.random.integers(-7, 8, (3, 2, 3, 3))
    weights = net.node("DequantizeLinear", net.constant(codes, np.int8), scale, zero)
    y = qcdq(net.conv(qcdq("x", -8, 7), weights, 3), -7, 7)
    model = net.finish(SHAPE, y)
    integers = prove(model, tmp_path / "model.onnx")
    assert integers.get_tensor_datatype(integers.graph.input[0].name).name == "INT4"
    with pytest.raises(UserError, match="Clip_t6: bounds -3 to 7 must be those of an integer type, as -8 to 7"):
        broken = as_given(lambda net: "x")
        broken.model.CopyFrom(model.model)
        broken.set_initializer(broken.graph.node[-2].input[1], np.array(-3, np.int8))
        ToNormalForm().apply(broken)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda model: model.graph.input.append(helper.make_tensor_value_info("y", 1, [1])),
            "must have one input, not 2",
        ),
        (lambda model: model.graph.input[0].type.tensor_type.shape.dim[2].Clear(), "dimension 2 must be fixed"),
    ],
)
def test_what_is_refused(change, message) -> None:
    model = as_given(lambda net: classifier(net, image(net)))
    change(model)
    with pytest.raises(UserError, match=message):
        ToNormalForm().apply(model)


def test_external_data_lie_beside_the_model(tmp_path) -> None:
    model = as_given(lambda net: classifier(net, image(net))).model
    (tmp_path / "inside").mkdir()
    path = tmp_path / "inside" / "model.onnx"
    options = {"save_as_external_data": True, "all_tensors_to_one_file": True, "size_threshold": 0}
    onnx.save_model(model, str(path), location="weights.bin", **options)
    loaded = load_model(path)
    assert all(len(tensor.raw_data) for tensor in loaded.graph.initializer)
    (path.parent / "weights.bin").rename(tmp_path / "weights.bin")
    with pytest.raises(UserError, match=r"weights\.bin is missing, which holds c0; copy it beside the model"):
        load_model(path)
    proto = onnx.load(str(path), load_external_data=False)
    for tensor in proto.graph.initializer:
        tensor.external_data[0].value = "../weights.bin"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(UserError, match="it must be in the model's folder"):
        load_model(path)
    (path.parent / "link.bin").symlink_to(tmp_path / "weights.bin")
    for tensor in proto.graph.initializer:
        tensor.external_data[0].value = "link.bin"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(UserError, match="it must be in the model's folder"):
        load_model(path)


def test_an_operator_set_of_the_past(tmp_path) -> None:
    model = as_given(lambda net: classifier(net, image(net))).model
    next(entry for entry in model.opset_import if entry.domain == "").version = 9
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="uses ONNX operator set 9; export it with one from 11 to 21"):
        load_model(tmp_path / "model.onnx")
