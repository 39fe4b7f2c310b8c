"""The batch-norms of a model: what its factors and offsets were computed from, kept in its metadata."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.requantisation.normalisation import affine

BATCH_NORMS, NORMALISATIONS = "batch_norms", "normalisations"
"""Metadata properties: of a model of floats, and of one of integers."""

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class BatchNorm:
    """One batch-norm of a network; fields as of `Normalisation`, for all uses of it."""

    weight: Floats
    bias: Floats
    shift: Floats
    gain: Floats
    epsilon: Floats
    reciprocal: NDArray[np.int64]
    statistic: NDArray[np.int64]
    mean: Floats
    variance: Floats

    def uses_of(self, factor: Floats, offset: Floats) -> NDArray[np.int64] | None:
        """Return which uses have these factors and offsets [uses or 1, C], in order; None if none have."""
        factors, offsets = affine(self, self.mean[self.statistic], self.variance[self.statistic])
        if factors.shape[1] != factor.shape[1] or factors.shape[1] != offset.shape[1]:
            return None
        rows = max(len(factor), len(offset))
        wanted = np.broadcast_to(factor, (rows, factor.shape[1])), np.broadcast_to(offset, (rows, offset.shape[1]))
        for candidate in _slices(len(factors), rows):
            if np.array_equal(factors[candidate], wanted[0]) and np.array_equal(offsets[candidate], wanted[1]):
                return candidate
        return None


def _slices(uses: int, rows: int) -> list[NDArray[np.int64]]:
    """Return the ways in which `rows` iterations may have the uses of a batch-norm: every step-th, from some on."""
    if rows == 1 and uses > 1:  # the same in every iteration
        return [np.arange(uses)[:1]]
    found = []
    for step in range(1, uses // rows + 1):
        found += [np.arange(start, uses, step)[:rows] for start in range(step) if len(range(start, uses, step)) >= rows]
    return found


def write_batch_norms(model: ModelWrapper, norms: Sequence[BatchNorm]) -> None:
    """Keep batch-norms, if there are any, in a model's metadata."""
    if not norms:
        return
    model.set_metadata_prop(BATCH_NORMS, _pack({str(number): vars(norm) for number, norm in enumerate(norms)}))


def read_batch_norms(model: ModelWrapper) -> list[BatchNorm]:
    """Return the batch-norms that a model's metadata hold."""
    text = model.get_metadata_prop(BATCH_NORMS)
    return [] if text is None else [BatchNorm(**arrays) for arrays in _unpack(text).values()]


def write_normalisations(model: ModelWrapper, found: Mapping[str, Arrays]) -> None:
    """Keep, for each tensor of codes that a batch-norm is in front of, the arrays of its normalisation."""
    if found:
        model.set_metadata_prop(NORMALISATIONS, _pack(found))


def read_normalisations(model: ModelWrapper) -> dict[str, Arrays]:
    """Return what `write_normalisations` kept."""
    text = model.get_metadata_prop(NORMALISATIONS)
    return {} if text is None else _unpack(text)


def _pack(groups: Mapping[str, Mapping[str, NDArray[Any]]]) -> str:
    """Arrays as text; the same arrays give the same text."""
    header, body = {}, io.BytesIO()
    for group, arrays in groups.items():
        header[group] = {name: (np.asarray(value).dtype.str, np.shape(value)) for name, value in arrays.items()}
        for value in arrays.values():
            body.write(np.ascontiguousarray(value).tobytes())
    return json.dumps({"arrays": header, "data": base64.b64encode(body.getvalue()).decode()})


def _unpack(text: str) -> dict[str, Arrays]:
    content = json.loads(text)
    data, start = base64.b64decode(content["data"]), 0
    groups: dict[str, Arrays] = {}
    for group, arrays in content["arrays"].items():
        groups[group] = {}
        for name, (kind, shape) in arrays.items():
            count = int(np.prod(shape, dtype=np.int64))
            groups[group][name] = np.frombuffer(data, np.dtype(kind), count, start).reshape(shape)
            start += count * np.dtype(kind).itemsize
    return groups
