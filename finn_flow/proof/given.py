"""The model as it was given, executed by QONNX."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.general import SortGraph
from qonnx.transformation.infer_shapes import InferShapes

from custom_ops.graph_execution import run_nodes
from finn_flow.execution import with_batch_size
from finn_flow.model_file import load_model
from finn_flow.transformations.graph_editing import is_sorted


class GivenModel:
    """A user's file, node by node in float32, in whatever form it has; only shapes are added.

    Parameters
    ----------
    path
        Of the ONNX file.
    """

    def __init__(self, path: Path) -> None:
        model = load_model(path)
        constants = {tensor.name for tensor in model.graph.initializer}
        inputs = [value for value in model.graph.input if value.name not in constants]
        del model.graph.input[:]
        model.graph.input.extend(inputs)
        (entry,) = inputs
        dims = entry.type.tensor_type.shape.dim
        if len(dims) and dims[0].dim_value < 1:
            dims[0].dim_value = 1
            del model.graph.value_info[:]
            for value in model.graph.output:
                value.type.tensor_type.ClearField("shape")
        if not is_sorted(model.graph):
            model, _ = SortGraph().apply(model)
        self.model, _ = InferShapes().apply(model)
        self.entry = entry.name
        self.batch = dims[0].dim_value if len(dims) else 1
        kind = entry.type.tensor_type.elem_type
        self.kind = helper.tensor_dtype_to_np_dtype(kind if kind != TensorProto.UNDEFINED else TensorProto.FLOAT)

    def run(self, values: NDArray[np.float32], tensors: list[str]) -> list[NDArray[np.float32]]:
        """Return the tensors [N, ...] for input values [N, ...]."""
        values = values.astype(self.kind)
        try:
            together = self._run(with_batch_size(self.model, len(values)), values, tensors)
        except Exception:  # a model that names its batch size somewhere: whatever the runtime says
            together = []
        if together and all(len(found) == len(values) for found in together):
            return together
        model, rows = copy.deepcopy(self.model), []
        for start in range(0, len(values), self.batch):
            chunk = values[start : start + self.batch]
            padded = np.concatenate([chunk, np.repeat(chunk[:1], self.batch - len(chunk), axis=0)])
            found = self._run(model, padded, tensors)
            rows.append([tensor.reshape(self.batch, -1)[: len(chunk)] for tensor in found])
        return [np.concatenate(column) for column in zip(*rows, strict=True)]

    def _run(self, model: ModelWrapper, values: NDArray, tensors: list[str]) -> list[NDArray[np.float32]]:
        context = run_nodes(model, {self.entry: values})
        return [context[name] for name in tensors]
