"""The accelerator's arithmetic in NumPy, layer by layer: the same integers as the hardware's, exactly."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from custom_ops.channel_affine.reference import channel_affine
from custom_ops.lookup.reference import lookup
from custom_ops.ode_update.reference import ode_update
from custom_ops.requantisation.normalisation import Arithmetic, Normalisation
from custom_ops.requantisation.reference import requantise
from custom_ops.top_k.reference import top_k

from .errors import InputError

FILE = "network.npz"
FORMAT = 1
Integers = npt.NDArray[np.int64]
Array = npt.NDArray[Any]
Parameters = dict[str, tuple[Integers, Integers]]
"""Multipliers and offsets, [uses, channels] each, by the name of the normalisation."""
Chooser = Callable[[str, int, Array], tuple[Integers, Integers]]
"""Gives multiplier and offset [channels] for a normalisation, the use's number and its accumulators [N, H, W, C]."""

_FLOAT32_EXACT = 2**24
_AT_ONCE = 1 << 22
"""Values that are multiplied in 64 bits at once."""


@dataclass(frozen=True)
class Writable:
    """A requantisation whose parameters are written.

    Parameters
    ----------
    normalisation
        What its parameters come from.
    arithmetic
        What its hardware can hold.
    rows
        Int64 [uses, C]: where they are on the accelerator's bus.
    multiplier, offset
        int64 [uses, C]: the built-in ones.
    """

    normalisation: Normalisation
    arithmetic: Arithmetic
    rows: Integers
    multiplier: Integers
    offset: Integers


class Network:
    """The accelerator's graph.

    Attributes
    ----------
    scale
        What one unit of the values stands for that classes are chosen from.
    information
        Score of the built-in parameters on pictures that the network knows, 0 to 1; see `Scores`.
    writable
        The requantisations whose parameters are written, by the name of their normalisation, in layers' order.
    """

    def __init__(self, header: dict[str, Any], arrays: Mapping[str, Array]) -> None:
        self._header, self._arrays = header, arrays
        self.scale, self.information = float(header["scale"]), float(header["information"])
        self.writable: dict[str, Writable] = {}
        self._collect(header["operations"])

    @classmethod
    def load(cls, path: Path) -> Network:
        """Read a package's `network.npz`.

        Raises
        ------
        InputError
            It is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            header = json.loads(arrays.pop("header").tobytes())
            if header["format"] != FORMAT:
                raise ValueError(f"format {header['format']}")
            return cls(header, arrays)
        except FileNotFoundError:
            raise InputError(
                f"{path} is missing: this accelerator cannot adapt; build it with step_make_parameters_writable"
            ) from None
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise InputError(f"{path} cannot be read ({error!r}); copy the package again") from None

    def _collect(self, operations: list[dict[str, Any]]) -> None:
        for entry in operations:
            if entry["kind"] == "loop":
                self._collect(entry["body"])
            elif "normalisation" in entry:
                name = entry["normalisation"]
                rows = self._arrays[entry["constant"]]
                rows = rows.reshape(-1, *rows.shape[-2:])
                norm = Normalisation(**{f.name: self._arrays[f"{name}/{f.name}"] for f in fields(Normalisation)})
                bits = entry["multiplier_bits"], entry["offset_bits"]
                arithmetic = Arithmetic(entry["shift"], entry["ties_to_even"], *bits)
                places = np.array(entry["rows"], np.int64)
                self.writable[name] = Writable(norm, arithmetic, places, rows[..., 0], rows[..., 1])

    def built_in(self) -> Parameters:
        """Return the built-in parameters."""
        return {name: (node.multiplier, node.offset) for name, node in self.writable.items()}

    def run(self, codes: npt.NDArray[np.integer[Any]], parameters: Parameters) -> tuple[Integers, Integers]:
        """Return the best classes [N, K] of codes [N, H, W, C], and the values [N, classes] they are chosen from."""

        def choose(name: str, use: int, accumulator: Array) -> tuple[Integers, Integers]:
            multiplier, offset = parameters[name]
            return multiplier[use], offset[use]

        return self.walk(codes, choose)

    def walk(self, codes: npt.NDArray[np.integer[Any]], choose: Chooser) -> tuple[Integers, Integers]:
        """As `run`, with parameters that are chosen layer by layer, in the order of the data."""
        header = self._header
        keep = {header["result"], header["values"]}
        tensors = self._execute(header["operations"], {header["source"]: codes.astype(np.int32)}, 0, choose, keep)
        labels, values = (tensors[header[key]].reshape(len(codes), -1).astype(np.int64) for key in ("result", "values"))
        return labels, values

    def _execute(
        self, operations: list[dict[str, Any]], tensors: dict[str, Array], index: int, choose: Chooser, keep: set[str]
    ) -> dict[str, Array]:
        last_use = {name: number for number, entry in enumerate(operations) for name in entry["inputs"]}
        for number, entry in enumerate(operations):
            inputs = [tensors[name] for name in entry["inputs"] if name in tensors]
            if entry["kind"] == "loop":
                result = self._loop(entry, inputs[0], choose)
            elif "normalisation" in entry:
                multiplier, offset = choose(entry["normalisation"], index, inputs[0])
                result = _requantise(entry, inputs[0], multiplier, offset)
            else:
                constant = self._arrays[entry["constant"]] if "constant" in entry else None
                result = _OPERATIONS[entry["kind"]](entry, inputs, constant, index)
            tensors[entry["output"]] = result
            for name in entry["inputs"]:
                if last_use[name] == number and name not in keep:
                    tensors.pop(name, None)
        return tensors

    def _loop(self, entry: dict[str, Any], state: Array, choose: Chooser) -> Array:
        for iteration in range(entry["iterations"]):
            found = self._execute(entry["body"], {entry["state"]: state}, iteration, choose, {entry["next"]})
            state = found[entry["next"]]
        return state


Operation = Callable[[dict[str, Any], list[Array], Any, int], Array]


def _requantise(entry: dict[str, Any], x: Array, multiplier: Integers, offset: Integers) -> Array:
    low, high = entry["codes"]
    result = np.empty(x.shape, np.int32)
    frames = max(1, _AT_ONCE // max(1, x[0].size))
    for start in range(0, len(x), frames):
        part = x[start : start + frames].astype(np.int64)
        result[start : start + frames] = requantise(
            part, multiplier, offset, entry["shift"], low, high, entry["ties_to_even"]
        )
    return result


def _fixed_requantise(entry: dict[str, Any], inputs: list[Array], rows: Integers, index: int) -> Array:
    rows = rows[index] if rows.ndim == 3 else rows
    return _requantise(entry, inputs[0], rows[:, 0], rows[:, 1])


def _pad(entry: dict[str, Any], inputs: list[Array], constant: Any, index: int) -> Array:
    top, left, bottom, right = entry["padding"]
    return np.pad(inputs[0], ((0, 0), (top, bottom), (left, right), (0, 0)))


def _windows(entry: dict[str, Any], inputs: list[Array], constant: Any, index: int) -> Array:
    """Windows [N, OH, OW, KH·KW·C], the channels innermost."""
    x = inputs[0]
    parts = list(_taps(x, entry["kernel"], entry["stride"], entry["dilation"]))
    return np.concatenate(parts, axis=-1)


def _taps(x: Array, kernel: list[int], stride: list[int], dilation: list[int]) -> Any:
    """Give each tap of all windows of a map that is padded already: [N, OH, OW, C]."""
    sizes = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[1:3], kernel, stride, dilation, strict=True)]
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            top, left = row * dilation[0], column * dilation[1]
            yield x[
                :,
                top : top + stride[0] * (sizes[0] - 1) + 1 : stride[0],
                left : left + stride[1] * (sizes[1] - 1) + 1 : stride[1],
            ]


def _matrix(entry: dict[str, Any], inputs: list[Array], weights: Integers, index: int) -> Array:
    """Multiply in floats that hold every sum exactly, because these are fast."""
    x = inputs[0]
    largest = int(np.abs(weights).sum(axis=0).max()) * max(int(x.max(initial=0)), -int(x.min(initial=0)))
    kind = np.float32 if largest < _FLOAT32_EXACT else np.float64
    product = x.reshape(-1, x.shape[-1]).astype(kind) @ weights.astype(kind)
    return product.astype(np.int32 if largest < 2**31 else np.int64).reshape(*x.shape[:-1], weights.shape[1])


def _depthwise(entry: dict[str, Any], inputs: list[Array], weights: Integers, index: int) -> Array:
    kernel = weights.shape[-1]
    edge = kernel // 2
    padded = np.pad(inputs[0], ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    stride = [entry["stride"], entry["stride"]]
    taps = weights.reshape(len(weights), -1).T.astype(np.int32)
    result: Array | None = None
    for tap, part in zip(taps, _taps(padded, [kernel, kernel], stride, [1, 1]), strict=True):
        if result is None:
            result = part * tap
        else:
            result += part * tap
    assert result is not None
    return result


def _sum(entry: dict[str, Any], inputs: list[Array], constant: Any, index: int) -> Array:
    return inputs[0].sum(axis=(1, 2), keepdims=True, dtype=np.int32)


def _thresholds(entry: dict[str, Any], inputs: list[Array], thresholds: Integers, index: int) -> Array:
    levels = thresholds[index] if thresholds.ndim == 3 else thresholds
    x = inputs[0]
    if len(levels) == 1:
        return (entry["bias"] + np.searchsorted(levels[0], x, side="right")).astype(np.int32)
    counts = [np.searchsorted(level, x[..., channel], side="right") for channel, level in enumerate(levels)]
    return (entry["bias"] + np.stack(counts, axis=-1)).astype(np.int32)


def _update(entry: dict[str, Any], inputs: list[Array], constant: Any, index: int) -> Array:
    state, increment = (x.astype(np.int64) for x in inputs)
    low, high = entry["bounds"]
    bits = entry["fraction_bits"], low, high, entry["state_fraction_bits"]
    return ode_update(state, increment, *bits).astype(np.int32)


def _top(entry: dict[str, Any], inputs: list[Array], constant: Any, index: int) -> Array:
    return top_k(inputs[0].astype(np.int64), entry["count"])


_OPERATIONS: dict[str, Operation] = {
    "affine": lambda entry, inputs, constants, index: channel_affine(inputs[0].astype(np.int64), constants),
    "depthwise": _depthwise,
    "lookup": lambda entry, inputs, table, index: lookup(inputs[0], table, entry["lowest"]).astype(np.int32),
    "matrix": _matrix,
    "pad": _pad,
    "requantise": _fixed_requantise,
    "sum": _sum,
    "thresholds": _thresholds,
    "top": _top,
    "update": _update,
    "windows": _windows,
}
