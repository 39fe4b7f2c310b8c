"""Golden images and results that an accelerator must reproduce exactly."""

from __future__ import annotations

import math
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.execution import execute_hardware
from finn_flow.netlist.netlist import Netlist
from finn_flow.simulation.frames import Frames, check_inputs, frames_of_values, random_frames, readings
from finn_flow.transformations.interface import OutputForm

ROUNDING = 0.2
"""How far from an integer a golden value may lie, in codes: with scales that are no powers of two, float32 rounds."""
TRIED = 3
"""Frames by which it is found out what the inputs of a golden file mean."""
EXPECTED_NPY = "expected_output.npy"
DAMAGED = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    NotImplementedError,
    OverflowError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise for files that are not what their names say."""


Rows = NDArray[np.int64]


@dataclass(frozen=True)
class GoldenOutput:
    """What must come out of an output: labels [N, K] and values [N, values], each None where it is not known."""

    labels: Rows | None = None
    logits: Rows | None = None


@dataclass(frozen=True)
class GoldenFrames:
    """Images and what must come out for them.

    Parameters
    ----------
    frames
        Image codes, integers [N, H, W, C].
    labels
        Positions of the K largest values, [N, K]; None where no label is selected.
    logits
        Integer codes of the last layer, [N, values], channels last; None where only labels are known.
    truth
        True classes [N], where they are known.
    source
        Where it comes from, for messages.
    others
        Of the model's further outputs.
    """

    frames: Frames
    labels: NDArray[np.int64] | None
    logits: NDArray[np.int64] | None
    truth: NDArray[np.int64] | None
    source: str
    others: tuple[GoldenOutput, ...] = ()

    def first(self, count: int) -> GoldenFrames:
        """Return the first `count` frames, from the start again where there are not enough."""
        chosen = np.arange(count) % len(self.frames)

        def rows(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else values[chosen]

        return replace(
            self,
            frames=self.frames[chosen],
            labels=rows(self.labels),
            logits=rows(self.logits),
            truth=rows(self.truth),
            others=tuple(GoldenOutput(rows(other.labels), rows(other.logits)) for other in self.others),
        )


def load_golden(path: Path, netlist: Netlist, expected: Path | None = None) -> GoldenFrames:
    """Read golden results and hold them against the netlist's input and outputs.

    Parameters
    ----------
    path
        `golden.npz` as `dsode export` writes it, with `inputs` (codes or pixels [N, H, W, C], or the model's input
        values) and `logits`; or a `.npy` with the model's input values, as FINN's `verify_input_npy`.
    expected
        For a `.npy`, the expected output; `expected_output.npy` beside it if not given.

    Raises
    ------
    UserError
        No such file, not of this format, or made for another network.
    """
    if path.suffix == ".npy":
        return _load_npy(path, expected or path.with_name(EXPECTED_NPY), netlist)
    if not path.is_file():
        raise UserError(f"{path}: no such golden file; `dsode export` writes one beside the model")
    arrays = _read_npz(path)
    inputs, logits, predicted = arrays["inputs"], arrays["logits"], arrays["predicted"]
    check_inputs(path, inputs, netlist)
    if logits.ndim != 2 or len(logits) != len(inputs) or predicted.shape != (len(inputs),):
        raise UserError(
            f"{path}: logits and predicted must have one row per image, "
            f"not {list(logits.shape)} and {list(predicted.shape)} for {len(inputs)} images"
        )
    for name, values in (("inputs", inputs), ("logits", logits)):
        if not np.isfinite(values).all():
            raise UserError(f"{path}: its {name} hold values that are not finite")
    form, *others = netlist.results
    if _are_labels(logits, form, netlist):
        return _of_labels(path, inputs, logits, netlist)
    unlike = 0 if form.labels != 1 or logits.shape[1] < 2 else int(np.sum(predicted != logits.argmax(axis=1)))
    if unlike:
        raise UserError(
            f"{path}: predicted is not the class of the greatest logit for {unlike} of {len(inputs)} images"
        )
    codes = output_codes(path, "logits", logits, form, netlist)
    return GoldenFrames(
        _frames(path, inputs, "logits", codes, netlist),
        labels_of(codes, form),
        codes,
        arrays["labels"].astype(np.int64) if "labels" in arrays else None,
        str(path),
        tuple(_other(path, arrays.get(other.name), other, netlist) for other in others),
    )


def random_golden(netlist: Netlist, model: ModelWrapper, count: int, seed: int) -> GoldenFrames:
    """Return random frames and what the hardware graph, executed in Python, makes of them."""
    frames = random_frames(netlist, count, seed)
    found = execute_hardware(model, frames)
    others = tuple(
        GoldenOutput(labels_of(found[f"logits_{number}"], form), found[f"logits_{number}"])
        for number, form in enumerate(netlist.results[1:], start=1)
    )
    source = f"random images (seed {seed}) and the hardware graph in Python"
    labels = found["labels"].reshape(count, -1) if "labels" in found else None
    return GoldenFrames(frames, labels, found["logits"], None, source, others)


def output_codes(path: Path, name: str, values: NDArray, form: OutputForm, netlist: Netlist) -> NDArray[np.int64]:
    """Return the integers [N, values], channels last, of an output's float values in the given model's order.

    Raises
    ------
    UserError
        Another number of values, or no multiples of the output's scale.
    """
    shape = netlist.value_shape(netlist.results.index(form))
    channels_first = (shape[-1], *shape[1:-1])
    given = tuple(channels_first[axis - 1] for axis in form.axes[1:]) if form.axes else channels_first
    if np.size(values) != len(values) * np.prod(shape):
        raise UserError(
            f"{path}: {name} must hold {np.prod(shape)} values per image, not {np.size(values) // max(1, len(values))}"
        )
    turned = values.reshape(len(values), *given)
    turned = np.transpose(turned, np.argsort(form.axes)) if form.axes else turned
    exact = form.integers(turned)
    if np.any(np.abs(exact - np.rint(exact)) > ROUNDING):
        if form.host:
            raise UserError(
                f"{path}: {name} must be the values before the model's {' and '.join(form.host)}, which is left to the "
                "host"
            )
        scale = ", ".join(f"{number:g}" for number in sorted(set(form.scale)))
        raise UserError(f"{path}: its {name} are no multiples of {scale}, so it was made for another network")
    return np.moveaxis(form.codes(turned), 1, -1).reshape(len(values), -1)


def _other(path: Path, values: NDArray | None, form: OutputForm, netlist: Netlist) -> GoldenOutput:
    if values is None:
        return GoldenOutput()
    rows = values.reshape(len(values), -1)
    if _are_labels(rows, form, netlist):
        return GoldenOutput(rows.astype(np.int64))
    codes = output_codes(path, form.name, values, form, netlist)
    return GoldenOutput(labels_of(codes, form), codes)


def _are_labels(rows: NDArray, form: OutputForm, netlist: Netlist) -> bool:
    values = math.prod(netlist.value_shape(netlist.results.index(form))[1:])
    return bool(form.labels) and rows.shape[1] == form.labels < values


def _of_labels(path: Path, inputs: NDArray, labels: NDArray, netlist: Netlist) -> GoldenFrames:
    """Golden results of a model that selects labels itself."""
    expected = labels.astype(np.int64)
    return GoldenFrames(_frames(path, inputs, "labels", expected, netlist), expected, None, None, str(path))


def _frames(path: Path, inputs: NDArray, what: str, expected: NDArray[np.int64], netlist: Netlist) -> Frames:
    """Return the frames that the inputs mean; where there is a choice, those that give the golden logits or labels."""
    form = netlist.given
    plain = form.codes is None or (form.codes.highest == 255 and form.codes.scale in ((1.0,), (2**-8,)))
    choices = readings(path, inputs, netlist)
    if inputs.dtype != np.uint8 or (plain and not form.steps):
        return next(choices)[1]
    model = netlist.graph()

    def right(frames: Frames) -> int:
        found = execute_hardware(model, frames)[what]
        return int(np.sum(np.all(found.reshape(len(found), -1) == expected[: len(found)], axis=1)))

    tried = dict(choices)
    meant = [frames for frames in tried.values() if right(frames[:TRIED]) == min(TRIED, len(frames))]
    if meant:  # a few frames may come out the same for different meanings
        return meant[0] if len(meant) == 1 else max(meant, key=right)
    if "codes" not in tried:
        raise UserError(
            f"{path}: inputs are uint8, but the accelerator takes {form.codes}, and as "
            f"{', '.join(tried)} they do not give the golden {what}; give the model's input values as float32"
        )
    return tried["codes"]


def labels_of(codes: NDArray[np.int64], form: OutputForm) -> NDArray[np.int64] | None:
    """Return the positions of the largest values; the lowest among equal codes, which float32 may tell apart."""
    if not form.labels:
        return None
    return np.argsort(-codes, axis=1, kind="stable")[:, : form.labels]


def _read_npz(path: Path) -> dict[str, NDArray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = [name for name in ("inputs", "logits", "predicted") if name not in arrays]
            if missing:
                raise UserError(f"{path}: not a golden file of `dsode export`: {missing[0]} is missing")
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except DAMAGED as error:
        raise UserError(f"{path}: not a golden file of `dsode export`: {error}") from error


def read_npy(path: Path) -> NDArray:
    """Read one array of numbers.

    Raises
    ------
    UserError
        No such file, or not such an array.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        array = np.load(path, allow_pickle=False)
    except DAMAGED as error:
        raise UserError(f"{path}: not a .npy file: {error}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or array.ndim < 2:
        raise UserError(f"{path}: must hold numbers, one row per image")
    return array


def _load_npy(path: Path, expected: Path, netlist: Netlist) -> GoldenFrames:
    frames = frames_of_values(path, read_npy(path), netlist)
    results = read_npy(expected)
    if len(results) != len(frames):
        raise UserError(f"{expected}: must hold one row per image of {path}, {len(frames)}, not {len(results)}")
    form = netlist.results[0]
    if form.labels and np.size(results) == form.labels * len(frames):
        return GoldenFrames(frames, results.reshape(len(frames), -1).astype(np.int64), None, None, str(path))
    codes = output_codes(expected, "values", results, form, netlist)
    return GoldenFrames(frames, labels_of(codes, form), codes, None, str(path))
