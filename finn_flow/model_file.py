"""Reading the model files that users bring."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto
from onnx.external_data_helper import ExternalDataInfo, _get_all_tensors, load_external_data_for_tensor
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError

OPSETS = range(11, 22)
"""Versions of ONNX's operators that are read; between them operators differ in where axes and bounds are given."""


def load_model(path: Path) -> ModelWrapper:
    """Read an ONNX file, with the data that it keeps in further files of its own folder.

    Raises
    ------
    UserError
        No such file, not ONNX, an empty graph, an operator set out of `OPSETS`, external data that are missing, too
        short or in another folder.
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
    _load_external_data(proto, path)
    return ModelWrapper(proto, fix_missing_initializer_valueinfo=False)


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
