"""Constant nodes as initialisers, the form that the other transformations know."""

from __future__ import annotations

from onnx import numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.util.basic import get_by_name


class InlineConstants(Transformation):
    """Replace every Constant node that holds a tensor by an initialiser of its output's name."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        for node in list(model.graph.node):
            value = get_by_name(node.attribute, "value") if node.op_type == "Constant" else None
            if value is not None:
                model.graph.node.remove(node)
                model.set_initializer(node.output[0], numpy_helper.to_array(value.t))
        return model, False
