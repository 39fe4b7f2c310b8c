"""A network as a QONNX graph, in a time that does not depend on its iteration counts."""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from brevitas.export import export_qonnx
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.util.cleanup import cleanup_model

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.networks import ODENet
from finn_flow.export.batch_norms import batch_norms
from finn_flow.finn_adapter.renaming import renaming_every_use
from finn_flow.transformations.batch_norms import write_batch_norms
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from finn_flow.transformations.unroll_ode_blocks import UnrollODEBlocks

TRACED_ITERATIONS = 2
FIRST_MARK = 2.0


def to_qonnx(network: ODENet) -> ModelWrapper:
    """Return `network` in eval mode as a tidied QONNX graph: image values [1, C, H, W] in, logits out.

    Batch-norms become one Mul and one Add with constants; shapes are annotated. Tracing every iteration would take
    minutes for long loops, so Brevitas exports the network with two iterations per block, in which the constants that
    depend on the iteration are marks. The marks tell which constants belong in the rolled loops; these are then
    written out with all their iterations. Fields of their own in each iteration leave nothing to roll: all are traced.
    What the constants were computed from is kept in the metadata.
    """
    network = copy.deepcopy(network).cpu().eval()
    norms = batch_norms(network)
    if not all(block.shared for block in network.ode_blocks):
        for module in network.modules():
            if isinstance(module, FieldBatchNorm):
                module.freeze()
        with renaming_every_use():
            model = cleanup_model(_export(network))
        write_batch_norms(model, norms)
        return model
    passes = [block.iterations * block.solver.stages for block in network.ode_blocks]
    stacks = _mark_constants(network)
    for block in network.ode_blocks:
        block.iterations = TRACED_ITERATIONS
    with renaming_every_use():
        rolled = cleanup_model(_export(network)).transform(RollODEBlocks())
    loops = rolled.get_nodes_by_op_type("ODELoop")
    for loop, count in zip(loops, passes, strict=True):
        getCustomOp(loop).set_nodeattr("iterations", count)
        for parameter in loop.input[1:]:
            traced = rolled.get_initializer(parameter)
            whole = np.resize(traced, (count, *traced.shape[1:])) if traced.dtype == bool else stacks[traced.flat[0]]
            rolled.set_initializer(parameter, whole)
    model, _ = UnrollODEBlocks().apply(rolled)  # not by `transform`, whose clean-up is quadratic in the nodes
    write_batch_norms(model, norms)
    return model


def _mark_constants(network: ODENet) -> dict[float, NDArray[np.float32]]:
    """Freeze all batch-norms and replace the constants of those in ODE blocks by marks.

    Returns the true constants of all uses, [uses, 1, C, 1, 1], by the mark of the first of them.
    """
    stacks: dict[float, NDArray[np.float32]] = {}
    mark = FIRST_MARK
    for module in network.modules():
        if not isinstance(module, FieldBatchNorm):
            continue
        module.freeze()
        uses = len(module.times)
        for kind in (f"{what}_{n}" for n in range(len(module.gains)) for what in ("factor", "offset") if uses > 1):
            buffers = [module.get_buffer(f"{kind}_{use}") for use in range(uses)]
            stacks[mark] = np.stack([buffer.numpy().copy() for buffer in buffers])
            for buffer in buffers:
                buffer.fill_(mark)
                mark += 1.0
    return stacks


def _export(network: ODENet) -> ModelWrapper:
    """Brevitas's QONNX export, without the exporter's chatter."""
    config = network.config
    example = torch.zeros(1, config.in_channels, *config.image_size)
    exporter_log = logging.getLogger("torch.onnx")
    level = exporter_log.level
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exporter_log.setLevel(logging.ERROR)
        try:
            export_qonnx(network, args=example, export_path=str(Path(folder) / "model.onnx"), verbose=False)
        finally:
            exporter_log.setLevel(level)
        return ModelWrapper(str(Path(folder) / "model.onnx"))
