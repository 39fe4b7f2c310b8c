"""From a plain Brevitas network to the two files that a user has: a model and golden results."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from brevitas.export import export_qonnx
from numpy.typing import NDArray
from qonnx.util.cleanup import cleanup
from torch import Tensor, nn

FRAMES = 12

Values = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""What the network's input is for pixels 0 to 255."""


@dataclass(frozen=True)
class Exported:
    """A model and what it must give.

    Parameters
    ----------
    model
        The QONNX file.
    golden
        `inputs` (pixels, uint8 NHWC), `logits` (the first output, flattened), `predicted`.
    values
        The network's inputs, float32 [N, C, H, W].
    outputs
        Its outputs, float32 [N, ...].
    """

    model: Path
    golden: Path
    values: NDArray[np.float32]
    outputs: list[NDArray[np.float32]]


def fractions(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels as the networks of this project take them."""
    return np.asarray(pixels / np.float32(256))


def calibrate(network: nn.Module, shape: tuple[int, ...], values: Values, train: bool = True) -> None:
    """Let the quantisers and batch-norms see random images, and the weights a few steps of training."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    network.train()
    for _ in range(6):
        images = rng.integers(0, 256, (16, *shape)).astype(np.float32)
        found = first_output(network(torch.from_numpy(values(images))))
        targets = torch.from_numpy(rng.integers(0, max(2, found[0].numel()), 16))
        if train and found.requires_grad:
            flat = found.flatten(1)
            loss = functional.cross_entropy(flat, targets) if flat.shape[1] > 1 else flat.pow(2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    network.eval()


def first_output(found: object) -> Tensor:
    """Return the first output as a tensor."""
    first = found[0] if isinstance(found, list) or type(found) is tuple else found
    value = getattr(first, "value", first)
    assert isinstance(value, Tensor)
    return value


def export_case(
    network: nn.Module,
    folder: Path,
    shape: tuple[int, ...] = (1, 6, 6),
    values: Values = fractions,
    batch: int = 1,
    tidy: bool = False,
    train: bool = True,
    logits: Callable[[nn.Module], nn.Module] = lambda network: network,
    **options: Any,
) -> Exported:
    """Calibrate and export a network, with golden results for random, flat and extreme images.

    Parameters
    ----------
    tidy
        Clean the file up with QONNX's tool, as FINN's tutorials do.
    logits
        The part of the network that gives the golden results, where what follows is left to the host.
    options
        Further ones of Brevitas's `export_qonnx`; the quicker TorchScript exporter is used by default.
    """
    calibrate(network, shape, values, train)
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (FRAMES, *shape), dtype=np.uint8)
    pixels[: FRAMES // 3] = pixels[: FRAMES // 3] // 64 * 64
    pixels[0], pixels[1] = 0, 255
    inputs = values(pixels.astype(np.float32))
    with torch.no_grad():
        rows = [_outputs(logits(network)(torch.from_numpy(inputs[i : i + 1]))) for i in range(FRAMES)]
    outputs = [np.concatenate(column) for column in zip(*rows, strict=True)]
    folder.mkdir(parents=True, exist_ok=True)
    flat, *others = [output.reshape(FRAMES, -1).astype(np.float32) for output in outputs]
    further = dict(zip(options.get("output_names", [])[1:], others, strict=False))
    channels_last = np.ascontiguousarray(np.moveaxis(pixels, 1, -1))
    np.savez(
        folder / "golden.npz", inputs=channels_last, logits=flat, predicted=flat.argmax(1).astype(np.int64), **further
    )
    path = folder / "model.onnx"
    export_quietly(network, torch.from_numpy(np.repeat(inputs[:1], batch, axis=0)), path, **options)
    if tidy:
        cleanup(str(path), out_file=str(path))
    return Exported(path, folder / "golden.npz", inputs, outputs)


def export_quietly(network: nn.Module, example: Tensor, path: Path, **options: object) -> None:
    """Run Brevitas's export without the exporters' chatter."""
    options = {"dynamo": False, **options}
    log = logging.getLogger("torch.onnx")
    level = log.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.setLevel(logging.ERROR)
        try:
            export_qonnx(network, args=example, export_path=str(path), **options)
        finally:
            log.setLevel(level)


def _outputs(found: object) -> list[NDArray[np.float32]]:
    several = list(found) if isinstance(found, list) or type(found) is tuple else [found]
    return [getattr(value, "value", value).numpy() for value in several]
