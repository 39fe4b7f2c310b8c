"""The rolled ODELoop by itself: execution, inference, attributes, and every error."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.basic import qonnx_make_model

from finn_flow.errors import FlowError

SHAPE = [1, 4]


def body(output_shape: list[int] = SHAPE) -> ModelWrapper:
    """Return z * q + 1 with the constant 1 inside, in an operator set that is not qonnx's default."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in ("z", "q")]
    graph = helper.make_graph(
        [helper.make_node("Mul", ["z", "q"], ["scaled"]), helper.make_node("Add", ["scaled", "one"], ["next"])],
        "body",
        inputs,
        [helper.make_tensor_value_info("next", TensorProto.FLOAT, output_shape)],
        initializer=[helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])],
        value_info=[helper.make_tensor_value_info("scaled", TensorProto.FLOAT, SHAPE)],
    )
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("qonnx.custom_op.general", 2)]
    return ModelWrapper(qonnx_make_model(graph, opset_imports=imports))


def model(factors: np.ndarray, iterations: int) -> ModelWrapper:
    """Return a model that is one loop."""
    node = helper.make_node("ODELoop", ["x", "p"], ["y"], name="loop", domain="custom_ops", iterations=iterations)
    getCustomOp(node).set_nodeattr("body", body())
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in ("x", "y")]
    loop = ModelWrapper(qonnx_make_model(helper.make_graph([node], "g", ends[:1], ends[1:])))
    loop.set_initializer("p", factors)
    return loop


def instance(loop: ModelWrapper):
    return getCustomOp(loop.graph.node[0])


FACTORS = np.arange(12, dtype=np.float32).reshape(3, *SHAPE)
X = np.array([[1, -2, 3, 0.5]], dtype=np.float32)


def test_each_iteration_reads_its_own_parameters():
    expected = X
    for factor in FACTORS:
        expected = expected * factor + 1
    np.testing.assert_array_equal(execute_onnx(model(FACTORS, 3), {"x": X})["y"], expected)


def test_shape_inference_passes_the_state_through():
    loop = model(FACTORS, 3)
    loop.graph.output[0].type.tensor_type.ClearField("shape")
    assert loop.transform(InferShapes()).get_tensor_shape("y") == SHAPE


def test_the_body_keeps_its_operator_sets():
    loop = instance(model(FACTORS, 3))
    assert loop.get_nodeattr("body_opsets") == ["ai.onnx:18", "qonnx.custom_op.general:2"]
    assert loop.get_nodeattr("body").get_opset_imports() == {"": 18, "qonnx.custom_op.general": 2}


def test_changes_of_a_body_need_to_be_written_back():
    loop = instance(model(FACTORS, 3))
    changed = loop.get_nodeattr("body")
    changed.set_initializer("one", np.array([2], dtype=np.float32))
    assert loop.get_nodeattr("body").get_initializer("one") == 1
    loop.set_nodeattr("body", changed)
    assert loop.get_nodeattr("body").get_initializer("one") == 2
    loop.set_nodeattr("body", body().graph)
    assert loop.get_nodeattr("body").get_initializer("one") == 1
    loop.set_nodeattr("iterations", 5)
    assert loop.get_nodeattr("iterations") == 5


def test_a_body_is_a_graph():
    with pytest.raises(TypeError, match="loop: body must be a ModelWrapper or GraphProto, not <class 'str'>"):
        instance(model(FACTORS, 3)).set_nodeattr("body", "graph")


def test_a_node_without_a_body():
    loop = model(FACTORS, 3)
    node = loop.graph.node[0]
    node.attribute.remove(next(attribute for attribute in node.attribute if attribute.name == "body"))
    with pytest.raises(FlowError, match="loop: ODELoop must have a graph attribute 'body'"):
        instance(loop).verify_node()


def test_parameters_of_another_iteration_count():
    with pytest.raises(FlowError, match=r"parameter 'p' must be iterations=4, not shape \[3, 1, 4\]"):
        execute_onnx(model(FACTORS, 4), {"x": X})


def test_verify_node():
    loop = model(FACTORS, 3)
    assert instance(loop).verify_node() == ["loop: all attributes are consistent"]
    instance(loop).set_nodeattr("body", body([1, 2]))
    with pytest.raises(FlowError, match=r"keep the state's shape, not turn \[1, 4\] into \[1, 2\]"):
        instance(loop).verify_node()
    with pytest.raises(FlowError, match="iterations must be at least 2, not 1"):
        instance(model(FACTORS, 1)).verify_node()
    loop = model(FACTORS, 3)
    loop.graph.node[0].input.pop()
    with pytest.raises(FlowError, match="one input per input of the node and one output, not 2 inputs for 1 and 1"):
        instance(loop).verify_node()
