"""Running graphs on batches of images, whatever form of the network they hold."""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp

CHUNK = 25
"""Images per graph execution: enough to hide the cost per node, few enough for the memory of threshold comparisons."""


def execute_batch(model: ModelWrapper, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a one-input, one-output graph of batch size 1 on ``inputs`` [N, ...] and return its outputs [N, ...]."""
    results = []
    sized: dict[int, ModelWrapper] = {}
    for start in range(0, len(inputs), CHUNK):
        chunk = np.asarray(inputs[start : start + CHUNK], dtype=np.float32)
        if len(chunk) not in sized:
            sized[len(chunk)] = with_batch_size(model, len(chunk))
        context = execute_onnx(sized[len(chunk)], {model.graph.input[0].name: chunk})
        results.append(context[model.graph.output[0].name])
    return np.concatenate(results)


def with_batch_size(model: ModelWrapper, batch: int) -> ModelWrapper:
    """Return a copy of ``model`` whose activations have batch size ``batch`` instead of 1, loop bodies included."""
    model = copy.deepcopy(model)
    graph = model.graph
    dynamic = {graph.input[0].name}
    for node in graph.node:
        if dynamic.intersection(node.input):
            dynamic.update(node.output)
        if node.op_type == "ODELoop":
            instance = getCustomOp(node)
            instance.set_nodeattr("body", with_batch_size(instance.get_nodeattr("body"), batch))
    for name in dynamic:
        shape = model.get_tensor_shape(name)
        if shape is not None:
            model.set_tensor_shape(name, [batch, *shape[1:]])
    return model
