"""Golden images and results that an accelerator must reproduce exactly."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.execution import execute_hardware
from finn_flow.netlist.netlist import Netlist

ROUNDING = 0.2
"""How far from an integer a golden logit may lie, in codes: with scales that are no powers of two, float32 rounds."""


@dataclass(frozen=True)
class Golden:
    """Images and what must come out for them.

    Parameters
    ----------
    frames: image codes, integers [N, H, W, C].
    labels: class that the network predicts, [N].
    logits: integer codes of the logits, [N, classes].
    truth: true classes [N], where they are known.
    source: where it comes from, for messages.
    """

    frames: NDArray[np.integer]
    labels: NDArray[np.int64]
    logits: NDArray[np.int64]
    truth: NDArray[np.int64] | None
    source: str

    def first(self, count: int) -> Golden:
        """Return the first `count` frames, from the start again where there are not enough."""
        chosen = np.arange(count) % len(self.frames)
        truth = None if self.truth is None else self.truth[chosen]
        return Golden(self.frames[chosen], self.labels[chosen], self.logits[chosen], truth, self.source)


def load_golden(path: Path, netlist: Netlist) -> Golden:
    """Read `golden.npz` as `dsode export` writes it and hold it against the netlist's input and logits.

    Raises
    ------
    UserError: no such file, not of this format, or made for another network.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such golden file; `dsode export` writes one beside the model")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = [name for name in ("inputs", "logits", "predicted") if name not in arrays]
            if missing:
                raise UserError(f"{path}: not a golden file of `dsode export`: {missing[0]} is missing")
            inputs, logits, predicted = (np.asarray(arrays[name]) for name in ("inputs", "logits", "predicted"))
            truth = np.asarray(arrays["labels"]) if "labels" in arrays else None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a golden file of `dsode export`: {error}") from error
    (stream,) = netlist.inputs.values()
    shape = stream.shape[1:]
    if inputs.dtype != np.uint8 or inputs.shape[1:] != shape or len(inputs) == 0:
        wanted = ", ".join(str(n) for n in shape)
        raise UserError(
            f"{path}: inputs must be uint8 [N, {wanted}] for this accelerator, not {inputs.dtype} {list(inputs.shape)}"
        )
    if logits.ndim != 2 or len(logits) != len(inputs) or predicted.shape != (len(inputs),):
        raise UserError(
            f"{path}: logits and predicted must have one row per image, "
            f"not {list(logits.shape)} and {list(predicted.shape)} for {len(inputs)} images"
        )
    scale = netlist.logits_scale or 1.0
    exact = logits.astype(np.float64) / scale
    codes = np.rint(exact)
    if np.any(np.abs(exact - codes) > ROUNDING):
        raise UserError(f"{path}: its logits are no multiples of {scale}, so it was made for another network")
    labels = predicted.astype(np.int64)
    return Golden(inputs, labels, codes.astype(np.int64), None if truth is None else truth.astype(np.int64), str(path))


def random_golden(netlist: Netlist, model: ModelWrapper, count: int, seed: int) -> Golden:
    """Return random frames and what the hardware graph, executed in Python, makes of them."""
    (stream,) = netlist.inputs.values()
    frames = np.random.default_rng(seed).integers(0, 256, (count, *stream.shape[1:]), dtype=np.uint8)
    found = execute_hardware(model, frames)
    source = f"random images (seed {seed}) and the hardware graph in Python"
    return Golden(frames, found["labels"], found["logits"], None, source)
