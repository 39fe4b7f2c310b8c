"""Networks as ONNX models that ONNX Runtime runs as they are, for any batch size."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from qonnx.transformation.qonnx_to_qcdq import QuantToQCDQ

from brevitas_models.networks import ODENet
from finn_flow.export.qonnx import to_qonnx


def quantised_onnx(network: ODENet) -> onnx.ModelProto:
    """Return the exported graph with each Quant node as QuantizeLinear, Clip, DequantizeLinear: the same values."""
    model: onnx.ModelProto = to_qonnx(network).transform(QuantToQCDQ()).model
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    del model.graph.value_info[:]
    return model


def float_onnx(network: ODENet) -> onnx.ModelProto:
    """Return a float network as PyTorch exports it."""
    config = network.config
    example = torch.zeros(2, config.in_channels, *config.image_size)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "float.onnx"
        batch = {0: torch.export.Dim("N")}
        torch.onnx.export(network, (example,), path, dynamo=True, dynamic_shapes=[batch], verbose=False)
        return onnx.load(path)
