"""Constants as initialisers, whatever computes them."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from finn_flow.transformations.graph_editing import replace_nodes
from finn_flow.transformations.graph_index import GraphIndex
from finn_flow.transformations.quantiser import QUANTISERS

KEPT = QUANTISERS | {"QuantizeLinear", "DequantizeLinear"}
"""Operators that stay although their operands are constants: they say how weights are quantised."""


class FoldConstants(Transformation):
    """Replace what is computed from constants alone, Constant nodes included, by initialisers.

    The weights' quantisers stay, and what is computed from their results. The shape of a tensor counts as a constant
    where it is known.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        listed = {tensor.name for tensor in model.graph.initializer}
        inputs = [value for value in model.graph.input if value.name not in listed]
        del model.graph.input[:]
        model.graph.input.extend(inputs)
        index = GraphIndex(model)
        quantised = {name for node in model.graph.node if node.op_type in KEPT for name in node.output}
        kept: list[NodeProto] = []
        folded: dict[str, np.ndarray] = {}
        outputs = {value.name for value in model.graph.output}
        for node in model.graph.node:
            if node.op_type == "Shape" and (shape := _known_shape(index, node)) is not None:
                folded[node.output[0]] = shape
                index.initialisers[node.output[0]] = numpy_helper.from_array(shape, node.output[0])
                continue
            from_quantised = any(name in quantised for name in node.input)
            if from_quantised:
                quantised.update(node.output)
            constant = node.op_type == "Constant" or bool(node.input)
            constant = constant and all(not name or index.is_constant(index.resolve(name)) for name in node.input)
            if not constant or from_quantised or node.op_type in KEPT or outputs.intersection(node.output):
                kept.append(node)
                continue
            for name in filter(None, node.output):
                index.constant_producer.setdefault(name, node)
                folded[name] = np.asarray(index.constant_value(index.resolve(name)))
        kept_inputs = {name for node in kept for name in node.input}
        for name, value in folded.items():
            if name in kept_inputs:
                model.graph.initializer.append(numpy_helper.from_array(value, name))
        replace_nodes(model.graph, kept)
        return model, False


def _known_shape(index: GraphIndex, node: NodeProto) -> np.ndarray | None:
    shape = index.shapes.get(index.resolve(node.input[0]))
    if shape is None or not shape or 0 in shape:
        return None
    attributes = {attribute.name: attribute.i for attribute in node.attribute}
    return np.array(shape[attributes.get("start", 0) : attributes.get("end", len(shape))], dtype=np.int64)
