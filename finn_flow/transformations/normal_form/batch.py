"""One frame at a time: the batch axis is fixed to 1."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from finn_flow.errors import UserError

_WITH_SHAPE = frozenset({"Reshape", "Expand", "ConstantOfShape"})
_BROADCASTING = frozenset({"Add", "Sub", "Mul", "Div", "Concat", "Where", "Max", "Min", "Pow"})


class FixBatch(Transformation):
    """Give the inputs a batch of 1, whatever batch they were exported with, also a dynamic one.

    Constants that hold the batch size as a target shape, or one equal row per frame, follow.

    Raises
    ------
    UserError
        Another dimension of an input is not fixed.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        graph = model.graph
        batches = set()
        for value in graph.input:
            dims = value.type.tensor_type.shape.dim
            for position, dim in enumerate(dims):
                if position > 0 and dim.dim_value < 1:
                    raise UserError(
                        f"input {value.name}: dimension {position} must be fixed, not "
                        f"{dim.dim_param or 'unknown'}; export with images of one size"
                    )
            if len(dims) and dims[0].dim_value != 1:
                batches.add(dims[0].dim_value)
                dims[0].dim_value = 1
        if not batches:
            return model, False
        del graph.value_info[:]
        for value in graph.output:
            value.type.tensor_type.ClearField("shape")
        for batch in batches - {0}:
            _replace_batch(model, batch)
        return model, False


def _replace_batch(model: ModelWrapper, batch: int) -> None:
    shapes, rows = set(), set()
    for node in model.graph.node:
        if node.op_type in _WITH_SHAPE:
            shapes.add(node.input[-1])
        elif node.op_type in _BROADCASTING:
            rows.update(node.input)
    for tensor in model.graph.initializer:
        if tensor.name in shapes and tensor.data_type == TensorProto.INT64:
            value = numpy_helper.to_array(tensor).copy()
            if value.ndim == 1 and value.size > 1 and value[0] == batch:
                value[0] = 1
                tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
        elif tensor.name in rows and len(tensor.dims) >= 3 and tensor.dims[0] == batch:
            value = numpy_helper.to_array(tensor)
            if np.array_equal(value, np.broadcast_to(value[:1], value.shape)):
                tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value[:1]), tensor.name))
