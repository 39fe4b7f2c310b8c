"""Other batch-norm statistics in an exported model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from custom_ops.requantisation.normalisation import affine
from finn_flow.errors import UserError
from finn_flow.transformations.batch_norms import BatchNorm, read_batch_norms, write_batch_norms

Floats = NDArray[np.float32]
Statistics = Mapping[str, tuple[Floats, Floats]]


class ExchangeStatistics(Transformation):
    """Give a model of `dsode export` other batch-norm statistics: new factors and offsets in its Mul and Add nodes.

    Parameters
    ----------
    old, new
        Mean and variance, float32 [statistics, channels] each, by names of any kind; `old` says where they belong.

    Raises
    ------
    UserError
        The model does not say what its batch-norms were computed from, or has none with some of the old statistics.
    """

    def __init__(self, old: Statistics, new: Statistics) -> None:
        super().__init__()
        self._old, self._new = old, new

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        before = read_batch_norms(model)
        after = _exchanged(before, self._old, self._new)
        constants: dict[bytes, tuple[Floats, Floats]] = {}
        for norm, changed in zip(before, after, strict=True):
            pairs = zip(_affine(norm), _affine(changed), strict=True)
            constants |= {key: value for (key, _), (_, value) in pairs}
        for node in model.graph.node:
            following = model.find_consumers(node.output[0]) if node.op_type == "Mul" else None
            if following is None or len(following) != 1 or following[0].op_type != "Add":
                continue
            names = [_constant(model, part) for part in (node, following[0])]
            if None in names:
                continue
            values = [model.get_initializer(name) for name in names]
            found = constants.get(b"".join(value.astype(np.float32).tobytes() for value in values))
            for name, value, changed_value in zip(names, values, found or (), strict=False):
                model.set_initializer(name, changed_value.reshape(value.shape))
        write_batch_norms(model, after)
        return model, False


def _affine(norm: BatchNorm) -> list[tuple[bytes, tuple[Floats, Floats]]]:
    """Return factor and offset of each use, with both as bytes."""
    factors, offsets = affine(norm, norm.mean[norm.statistic], norm.variance[norm.statistic])
    return [(f.tobytes() + o.tobytes(), (f, o)) for f, o in zip(factors, offsets, strict=True)]


def _constant(model: ModelWrapper, node: NodeProto) -> str | None:
    return next((name for name in node.input if model.get_initializer(name) is not None), None)


def _exchanged(norms: list[BatchNorm], old: Statistics, new: Statistics) -> list[BatchNorm]:
    found = [replace(norm, mean=norm.mean.copy(), variance=norm.variance.copy()) for norm in norms]
    for name, (means, variances) in old.items():
        for row, (mean, variance) in enumerate(zip(means, variances, strict=True)):
            places = [
                (number, at)
                for number, norm in enumerate(norms)
                for at in range(len(norm.mean))
                if np.array_equal(norm.mean[at], mean) and np.array_equal(norm.variance[at], variance)
            ]
            if not places:
                raise UserError(
                    f"the model has no batch-norm with the statistics of {name}; give the one that the build was made "
                    "of, as `dsode export` wrote it"
                )
            number, at = places[0]
            found[number].mean[at], found[number].variance[at] = new[name][0][row], new[name][1][row]
    return found
