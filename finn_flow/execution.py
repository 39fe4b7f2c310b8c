"""Running graphs on batches of images, whatever form of the network they hold."""

from __future__ import annotations

import copy
import math

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.graph_execution import run_nodes
from finn_flow.transformations.bodies import LOOP_OPS, loop_body, set_loop_body

_BATCHED_ATTRIBUTES = {"MVAU_rtl": ("numInputVectors",), "StreamingDataWidthConverter_rtl": ("inShape", "outShape")}
"""Attributes of FINN's nodes that hold the batch size; the other nodes take it from their input."""

CHUNK = 25
"""Images per graph execution, at most: enough to hide the cost per node."""

VALUES = 2**22
"""Values in the largest tensor of an execution: few enough for the memory of threshold comparisons."""


def execute_batch(model: ModelWrapper, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a one-input, one-output graph of batch size 1 on `inputs` [N, ...] and return its outputs [N, ...]."""
    results = []
    sized: dict[int, ModelWrapper] = {}
    size = images_at_once(model)
    for start in range(0, len(inputs), size):
        chunk = np.asarray(inputs[start : start + size], dtype=np.float32)
        if len(chunk) not in sized:
            sized[len(chunk)] = with_batch_size(model, len(chunk))
        output = model.graph.output[0].name
        results.append(run_nodes(sized[len(chunk)], {model.graph.input[0].name: chunk}, {output})[output])
    return np.concatenate(results)


def execute_hardware(model: ModelWrapper, frames: NDArray[np.integer]) -> dict[str, NDArray[np.int64]]:
    """Run a hardware graph in Python on codes [N, H, W, C].

    Returns
    -------
    dict[str, NDArray[np.int64]]
        `logits` [N, values], the integers of the last layer, channels last, and, where labels are selected from them,
        `labels` [N] ([N, K] if there are K per frame); those of further outputs as `logits_1`, `labels_1` and so on.
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    keys: dict[str, str] = {}
    for number, output in enumerate(model.graph.output):
        suffix = f"_{number}" if number else ""
        node, name = producers[output.name], output.name
        while node.op_type == "StreamingFIFO_rtl":
            node = producers[node.input[0]]
        if node.op_type == "TopK_rtl":
            keys[f"labels{suffix}"], name = output.name, node.input[0]
        keys[f"logits{suffix}"] = name
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in keys.values()}
    sized: dict[int, ModelWrapper] = {}
    size = images_at_once(model)
    for start in range(0, len(frames), size):
        chunk = frames[start : start + size].astype(np.float32)
        if len(chunk) not in sized:
            sized[len(chunk)] = with_batch_size(model, len(chunk))
        context = run_nodes(sized[len(chunk)], {model.graph.input[0].name: chunk}, found)
        for name, values in found.items():
            values.append(context[name].reshape(len(chunk), -1))
    integers = {name: np.concatenate(values).astype(np.int64) for name, values in found.items()}
    results = {key: integers[name] for key, name in keys.items()}
    return {key: rows[:, 0] if "labels" in key and rows.shape[1] == 1 else rows for key, rows in results.items()}


def images_at_once(model: ModelWrapper) -> int:
    """Return how many images, from 1 to `CHUNK`, keep the largest tensor of a graph within `VALUES`."""
    return max(1, min(CHUNK, VALUES // _largest_tensor(model)))


def _largest_tensor(model: ModelWrapper) -> int:
    shapes = [model.get_tensor_shape(name) for name in model.get_all_tensor_names()]
    bodies = [loop_body(node) for node in model.graph.node if node.op_type in LOOP_OPS]
    return max([1, *(math.prod(shape) for shape in shapes if shape), *map(_largest_tensor, bodies)])


def with_batch_size(model: ModelWrapper, batch: int) -> ModelWrapper:
    """Return a copy of `model` whose activations have batch size `batch` instead of 1, loop bodies included."""
    model = copy.deepcopy(model)
    graph = model.graph
    dynamic = {graph.input[0].name}
    for node in graph.node:
        if dynamic.intersection(node.input):
            dynamic.update(node.output)
        if node.op_type in LOOP_OPS:
            set_loop_body(node, with_batch_size(loop_body(node), batch))
        for attribute in _BATCHED_ATTRIBUTES.get(node.op_type, ()):
            instance = getCustomOp(node)
            instance.set_nodeattr(attribute, [batch, *instance.get_nodeattr(attribute)[1:]])
    for name in dynamic:
        shape = model.get_tensor_shape(name)
        if shape is not None:
            model.set_tensor_shape(name, [batch, *shape[1:]])
    return model
