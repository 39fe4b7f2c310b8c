"""Running the nodes of a graph in Python, one after the other."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_node
from qonnx.custom_op.registry import getCustomOp
from qonnx.util.basic import get_preferred_qonnx_opset


def run_nodes(
    model: ModelWrapper, inputs: dict[str, NDArray], keep: Collection[str] | None = None
) -> dict[str, NDArray]:
    """Return all tensors of a graph for `inputs` by name, or those of `keep` alone.

    As qonnx's `execute_onnx`, but no tensor is rounded to its annotated type between nodes, so that an inexact result
    stays visible. Tensors must have shapes and nodes be in order. With `keep` every other tensor is dropped after its
    last use, so that few of them are in memory at once.
    """
    context = model.make_empty_exec_context()
    context.update(inputs)
    opsets = model.get_opset_imports()
    last_use = {name: number for number, node in enumerate(model.graph.node) for name in (*node.input, *node.output)}
    for number, node in enumerate(model.graph.node):
        opset = opsets.get(node.domain, get_preferred_qonnx_opset())
        if node.op_type in _ONE_FRAME_AT_A_TIME:
            _execute_frame_by_frame(model, node, context)
        else:
            execute_node(node, context, model.graph, opset)
        if keep is not None:
            for name in {*node.input, *node.output}:
                if last_use[name] == number and name not in keep:
                    context.pop(name, None)
    return context if keep is None else {name: context[name] for name in keep}


_ONE_FRAME_AT_A_TIME = frozenset({"ConvolutionInputGenerator_rtl"})
"""Nodes of FINN whose Python execution mixes up frames: qonnx's Im2Col interleaves their windows."""


def _execute_frame_by_frame(model: ModelWrapper, node: NodeProto, context: dict[str, NDArray]) -> None:
    source, target = node.input[0], node.output[0]
    frames = []
    for frame in context[source]:
        single = {source: frame[np.newaxis], target: context[target][:1]}
        getCustomOp(node).execute_node(single, model.graph)
        frames.append(single[target])
    context[target] = np.concatenate(frames)
