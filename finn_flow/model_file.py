"""Reading the model files that users bring."""

from __future__ import annotations

import math
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto
from onnx.external_data_helper import ExternalDataInfo, _get_all_tensors, load_external_data_for_tensor
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError

OPSETS = range(11, 22)
"""Versions of ONNX's operators that are read; between them operators differ in where axes and bounds are given."""


INPUTS = {"Quant": 4, "IntQuant": 4, "BipolarQuant": 2, "Trunc": 5}
"""Inputs of QONNX's quantisers."""

MOST_ELEMENTS = 2**31
"""Of one tensor; more is an error, or more than any board holds."""


def load_model(path: Path) -> ModelWrapper:
    """Read an ONNX file, with the data that it keeps in further files of its own folder.

    Raises
    ------
    UserError
        No such file, not ONNX, an empty graph, an operator set out of `OPSETS`, external data that are missing, too
        short or in another folder, a node that is none, or reads what is not there.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such model")
    try:
        proto = onnx.load(str(path), load_external_data=False)
    except DecodeError:
        raise UserError(f"{path}: not an ONNX file; export one with `dsode export`") from None
    if not proto.graph.node:
        raise UserError(f"{path}: an empty graph; export one with `dsode export`")
    version = next((entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), None)
    if version is not None and version not in OPSETS:
        raise UserError(
            f"{path}: uses ONNX operator set {version}; export it with one from {OPSETS[0]} to {OPSETS[-1]}, "
            "as in `export_qonnx(..., opset_version=18)`"
        )
    _check_nodes(proto, path)
    _load_external_data(proto, path)
    return ModelWrapper(proto, fix_missing_initializer_valueinfo=False)


def _check_nodes(proto: ModelProto, path: Path) -> None:
    """Refuse nodes that no step could read: unknown, without an input or output that they need, damaged attributes."""
    context = onnx.checker.C.CheckerContext()
    context.ir_version = proto.ir_version
    context.opset_imports = {entry.domain: entry.version for entry in proto.opset_import}
    graph = proto.graph
    there = {value.name for value in (*graph.input, *graph.initializer)}
    there |= {name for node in graph.node for name in node.output}
    for tensor in graph.initializer:
        if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > MOST_ELEMENTS:
            raise UserError(f"{path}: tensor {tensor.name}: its shape cannot be {list(tensor.dims)}")
    for node in graph.node:
        name = f"{path}: node {node.name or node.op_type!r}"
        # Protobuf gives bytes where a text is not UTF-8.
        texts = (node.op_type, node.domain, *node.input, *node.output, *(entry.name for entry in node.attribute))
        if not all(isinstance(text, str) for text in texts):
            raise UserError(f"{name}: holds a name that is not UTF-8")
        if not node.output or not all(node.output):
            raise UserError(f"{name}: has no output")
        absent = [entry for entry in node.input if entry and entry not in there]
        if absent:
            raise UserError(f"{name}: reads {absent[0]}, which nothing gives")
        if set(node.input) & set(node.output):
            raise UserError(f"{name}: reads its own output")
        if node.domain in ("", "ai.onnx"):
            try:
                onnx.checker.check_node(node, context)
            except onnx.checker.ValidationError as error:
                raise UserError(f"{name}: {' '.join(str(error).split())[:300]}") from None
        elif node.op_type in INPUTS and len(node.input) != INPUTS[node.op_type]:
            raise UserError(f"{name}: {node.op_type} must have {INPUTS[node.op_type]} inputs, not {len(node.input)}")
    for value in (*graph.input, *graph.output):
        sizes = [size.dim_value for size in value.type.tensor_type.shape.dim if size.HasField("dim_value")]
        if any(size < 0 for size in sizes) or math.prod(sizes) > MOST_ELEMENTS:
            raise UserError(f"{path}: {value.name}: its shape cannot be {sizes}")


def _load_external_data(proto: ModelProto, path: Path) -> None:
    folder = path.resolve().parent
    for tensor in _get_all_tensors(proto):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        location = ExternalDataInfo(tensor).location
        place = folder / location
        if not location or Path(location).name != location or place.resolve().parent != folder:
            raise UserError(f"{path}: tensor {tensor.name} lies in `{location}`; it must be in the model's folder")
        if not place.is_file():
            raise UserError(f"{path}: {location} is missing, which holds {tensor.name}; copy it beside the model")
        try:
            load_external_data_for_tensor(tensor, str(folder))
        except (ValueError, OSError, onnx.checker.ValidationError) as error:
            raise UserError(f"{path}: tensor {tensor.name} cannot be read from {location}: {error}") from None
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
