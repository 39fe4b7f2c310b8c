"""Export to QONNX, with golden inputs and outputs that every later form of the network must reproduce exactly."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from brevitas_models.exactness import check_exact, check_finite
from brevitas_models.memory import images_at_once
from brevitas_models.networks import ODENet
from finn_flow.build_folder import GOLDEN_FILE, GOLDEN_NOTES_FILE
from finn_flow.deployment.driver.preprocessing import INPUT_SCALE, Uint8Array
from finn_flow.errors import FlowError
from finn_flow.execution import execute_batch
from finn_flow.export.qonnx import to_qonnx
from finn_flow.files import atomic_path, atomic_write_json, file_sha256
from finn_flow.progress import task
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks

BATCH = 128


@dataclass(frozen=True)
class Golden:
    """Inputs and what the network in Brevitas's eval mode makes of them.

    Parameters
    ----------
    inputs
        Codes, uint8 [N, H, W, C].
    logits
        float32 [N, classes].
    labels
        The true classes, int64 [N], or None where there are none.
    """

    inputs: Uint8Array
    logits: NDArray[np.float32]
    labels: NDArray[np.int64] | None

    def save(self, path: Path) -> None:
        """Write the arrays `inputs`, `logits`, `predicted` (int64 [N]) and, where known, `labels`."""
        arrays: dict[str, Any] = {
            "inputs": self.inputs,
            "logits": self.logits,
            "predicted": self.logits.argmax(axis=1).astype(np.int64),
        }
        if self.labels is not None:
            arrays["labels"] = self.labels
        with atomic_path(path) as temporary:
            np.savez_compressed(temporary, **arrays)


def make_golden(network: ODENet, inputs: Uint8Array, labels: NDArray[np.int64] | None = None) -> Golden:
    """Run `network` in eval mode on codes uint8 [N, H, W, C]."""
    network = network.cpu().eval()
    batch = images_at_once(network.config, BATCH)
    with torch.no_grad():
        logits = [
            network(torch.from_numpy(network_values(inputs[start : start + batch]))).numpy()
            for start in range(0, len(inputs), batch)
        ]
    return Golden(inputs, np.concatenate(logits), labels)


def network_values(inputs: Uint8Array) -> NDArray[np.float32]:
    """Return the graph's input for codes uint8 [N, H, W, C]: float32 [N, C, H, W], code times 2^-8."""
    return np.ascontiguousarray(inputs.transpose(0, 3, 1, 2).astype(np.float32) * np.float32(INPUT_SCALE))


def verify(model: ModelWrapper, golden: Golden) -> None:
    """Make sure that a QONNX graph gives the golden logits, bit for bit.

    Raises
    ------
    FlowError
        It does not; the message counts the differences and shows the first.
    """
    rolled, _ = RollODEBlocks(require=False).apply(copy.deepcopy(model))  # the same function, faster to run
    found = execute_batch(rolled, network_values(golden.inputs)).reshape(golden.logits.shape)
    different = np.argwhere(found != golden.logits)
    if len(different):
        image, logit = (int(index) for index in different[0])
        raise FlowError(
            f"the exported graph differs from Brevitas in {len(different)} of {golden.logits.size} logits; the first: "
            f"image {image}, logit {logit}: {found[image, logit]!r} instead of {golden.logits[image, logit]!r}"
        )


def export_network(network: ODENet, path: Path, inputs: Uint8Array, labels: Any, notes: dict[str, Any]) -> Golden:
    """Write a network's QONNX graph to `path` and its golden files beside it, after checking that they agree.

    Parameters
    ----------
    inputs, labels
        As `Golden`.
    notes
        Plain values for `golden.json`: where the inputs are from, preprocessing, class names, the training's results.

    Raises
    ------
    UserError
        A parameter is NaN or infinite; it names the parameter.
    FlowError
        An accumulator may overflow float32's integers, or graph and Brevitas differ; nothing is written then.
    """
    check_finite(network)
    check_exact(network)
    with task("exporting", "steps") as work:
        model = to_qonnx(network)
        work.advance(1, 3)
        golden = make_golden(network, inputs, labels)
        work.advance(2, 3)
        verify(model, golden)
    with atomic_path(path) as temporary:
        model.save(str(temporary))
    golden.save(path.with_name(GOLDEN_FILE))
    description = {**notes, "network": network.config.model_dump(), "model_sha256": file_sha256(path)}
    atomic_write_json(path.with_name(GOLDEN_NOTES_FILE), description)
    return golden
