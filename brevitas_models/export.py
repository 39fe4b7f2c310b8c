"""Export to QONNX, with golden inputs and outputs that every later form of the network must reproduce exactly."""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from pathlib import Path

import torch
from brevitas.export import export_qonnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.cleanup import cleanup_model

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.networks import ODENet

INPUT_SCALE = 2.0**-8


def to_qonnx(network: ODENet) -> ModelWrapper:
    """Return ``network`` in eval mode as a tidied QONNX graph: image values [1, C, H, W] in, logits out.

    Batch-norms become one Mul and one Add with constants; scales, shapes and data types are annotated.
    """
    network = copy.deepcopy(network).cpu().eval()
    for module in network.modules():
        if isinstance(module, FieldBatchNorm):
            module.freeze()
    config = network.config
    example = torch.zeros(1, config.in_channels, *config.image_size)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "model.onnx"
        warnings.simplefilter("ignore")
        exporter_log = logging.getLogger("torch.onnx")
        level = exporter_log.level
        exporter_log.setLevel(logging.ERROR)
        try:
            export_qonnx(network, args=example, export_path=str(path))
        finally:
            exporter_log.setLevel(level)
        model = ModelWrapper(str(path))
    return cleanup_model(model)
