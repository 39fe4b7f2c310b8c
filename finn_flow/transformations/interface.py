"""How the ends of a graph stand for those of the model that the user gave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import FlowError
from finn_flow.transformations.quantiser import Quantiser

INPUT, OUTPUTS = "given_input", "given_outputs"
"""Metadata properties that hold the forms as JSON."""

_OPERATIONS = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}
AFFINE = frozenset(_OPERATIONS)


@dataclass(frozen=True)
class InputCodes:
    """The rule by which the first quantiser makes codes, in plain numbers; see `Quantiser`.

    Parameters
    ----------
    scale
        Value of one code, one number or one per channel.
    """

    scale: tuple[float, ...]
    bits: int
    signed: bool
    narrow: bool
    rounding: str
    zero_point: int = 0
    bipolar: bool = False

    @classmethod
    def of(cls, quantiser: Quantiser) -> InputCodes:
        """Return the rule of a quantiser."""
        scale = tuple(np.ravel(quantiser.scale).astype(float).tolist())
        fields = (quantiser.bits, quantiser.signed, quantiser.narrow, quantiser.rounding)
        return cls(scale, *fields, quantiser.zero_point, quantiser.bipolar)

    def quantiser(self, rank: int) -> Quantiser:
        """Return the quantiser for values of `rank` axes, the channels on axis 1."""
        scale = np.asarray(per_channel(self.scale, rank))
        return Quantiser(scale, self.bits, self.signed, self.narrow, self.rounding, self.zero_point, self.bipolar)

    @property
    def lowest(self) -> int:
        """Smallest code."""
        return self.quantiser(4).lowest

    @property
    def highest(self) -> int:
        """Largest code."""
        return self.quantiser(4).highest

    def __str__(self) -> str:
        scale = f"{self.scale[0]:g}" if len(self.scale) == 1 else f"{len(self.scale)} scales"
        return f"{self.bits}-bit codes of {scale}, from {self.lowest} to {self.highest}"


@dataclass(frozen=True)
class Step:
    """Arithmetic with one constant, a number or one per channel, in front of the first quantiser."""

    op_type: str
    constant: tuple[float, ...]
    constant_first: bool


@dataclass(frozen=True)
class InputForm:
    """The model's input, and how the accelerator's codes come from it.

    Parameters
    ----------
    name
        Of the input in the given model.
    axes
        Axis i of the given input is axis `axes[i]` of the graph's; () if they are the same.
    steps
        Normalisation inside the model; it is left to whoever makes the codes.
    codes
        What the first quantiser makes; None as long as that is not known.
    exact_codes_only
        Whether only values that are codes give the model's results, because several quantisers read it.
    """

    name: str
    axes: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()
    codes: InputCodes | None = None
    exact_codes_only: bool = False

    def encode(self, values: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the codes [N, channels first] of values [N, as the model takes them], rounded as the model does."""
        x = self.normalised(values)
        return self._known().quantiser(x.ndim).codes(x)

    def normalised(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the first quantiser gets, [N, channels first], for values [N, as the model takes them]."""
        x = self.turned(np.asarray(values, dtype=np.float32))
        for step in self.steps:
            constant = per_channel(step.constant, x.ndim)
            first, second = (constant, x) if step.constant_first else (x, constant)
            x = _OPERATIONS[step.op_type](first, second)
        return x

    def decode(self, codes: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return values, as the model takes them, whose codes are those [N, channels first]."""
        x = codes.astype(np.float64) * per_channel(self._known().scale, codes.ndim, np.float64)
        for step in reversed(self.steps):
            constant = per_channel(step.constant, x.ndim).astype(np.float64)
            x = _undone(step, x, constant)
        values = np.ascontiguousarray(x.astype(np.float32))
        return np.ascontiguousarray(np.transpose(values, self.axes)) if self.axes else values

    @property
    def scale_text(self) -> str:
        """The codes in words."""
        return str(self._known())

    def turned(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values with their axes in the graph's order."""
        return np.transpose(values, np.argsort(self.axes)) if self.axes else values

    def _known(self) -> InputCodes:
        if self.codes is None:
            raise FlowError(f"input {self.name}: its quantiser is not known yet")
        return self.codes


@dataclass(frozen=True)
class OutputForm:
    """One of the model's outputs.

    Parameters
    ----------
    name
        Of the output in the given model.
    tensor
        The tensor of the given model whose values, in their order, the graph's output stands for.
    axes
        Axis i of `tensor` is axis `axes[i]` of the graph's output; () if they are the same.
    scale, offset
        Value = n · scale + offset for an integer n of the last layer, one number or one per channel; () as long as they
        are not known.
    factor, shift
        The graph's output is n · factor + shift, one number or one per channel: integers that compare as the values do.
    labels
        How many labels are selected, those of the largest values; 0 if the values themselves are given.
    asked
        How many labels the given model selects by itself, in an ArgMax or TopK at its end.
    host
        Operators behind `tensor`, such as Softmax, that are left to the host.
    """

    name: str
    tensor: str
    axes: tuple[int, ...] = ()
    scale: tuple[float, ...] = ()
    offset: tuple[float, ...] = (0.0,)
    factor: tuple[int, ...] = (1,)
    shift: tuple[int, ...] = (0,)
    labels: int = 0
    asked: int = 0
    host: tuple[str, ...] = ()

    def as_given(self, values: NDArray) -> NDArray:
        """Return codes or values [N, channels first] with their axes in the given model's order."""
        return np.transpose(values, self.axes) if self.axes and values.ndim == len(self.axes) else values

    def integers(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the last layer's integers, not rounded, of values [N, channels first]."""
        scale, offset = (per_channel(n, values.ndim, np.float64) for n in (self.scale or (1.0,), self.offset))
        return np.asarray((values.astype(np.float64) - offset) / scale)

    def codes(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the graph's output for values [N, channels first]."""
        factor, shift = (per_channel(n, values.ndim, np.int64) for n in (self.factor, self.shift))
        return np.asarray(np.rint(self.integers(values)).astype(np.int64) * factor + shift)

    def values(self, codes: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the values of what the graph gives, [N, channels first]."""
        factor, shift = (per_channel(n, codes.ndim, np.int64) for n in (self.factor, self.shift))
        scale, offset = (per_channel(n, codes.ndim, np.float64) for n in (self.scale or (1.0,), self.offset))
        return np.asarray((codes - shift) // factor * scale + offset)


def read_input(model: ModelWrapper) -> InputForm:
    """Return the form of a model's input; its plain form if the model says nothing."""
    text = model.get_metadata_prop(INPUT)
    if text is None:
        return InputForm(model.graph.input[0].name)
    return input_from_json(json.loads(text))


def read_outputs(model: ModelWrapper) -> list[OutputForm]:
    """Return the forms of a model's outputs, in order."""
    text = model.get_metadata_prop(OUTPUTS)
    if text is None:
        return [OutputForm(value.name, value.name) for value in model.graph.output]
    return [output_from_json(entry) for entry in json.loads(text)]


def write_forms(model: ModelWrapper, given: InputForm, outputs: list[OutputForm]) -> None:
    """Keep the forms in the model's metadata."""
    model.set_metadata_prop(INPUT, json.dumps(asdict(given)))
    model.set_metadata_prop(OUTPUTS, json.dumps([asdict(output) for output in outputs]))


def input_from_json(entry: dict[str, Any]) -> InputForm:
    """Return the form that `asdict` wrote."""
    steps = tuple(Step(s["op_type"], tuple(s["constant"]), s["constant_first"]) for s in entry["steps"])
    codes = entry["codes"] and InputCodes(**{**entry["codes"], "scale": tuple(entry["codes"]["scale"])})
    return InputForm(entry["name"], tuple(entry["axes"]), steps, codes, entry["exact_codes_only"])


def output_from_json(entry: dict[str, Any]) -> OutputForm:
    """Return the form that `asdict` wrote."""
    lists = {key: tuple(entry[key]) for key in ("axes", "scale", "offset", "factor", "shift", "host")}
    return OutputForm(entry["name"], entry["tensor"], **lists, labels=entry["labels"], asked=entry["asked"])


def per_channel(numbers: Sequence[float], rank: int, dtype: type = np.float32) -> NDArray:
    """Return one number, or one per channel, such that it broadcasts against a tensor [N, channels, ...]."""
    if len(numbers) == 1:
        return np.asarray(numbers[0], dtype=dtype)
    return np.asarray(numbers, dtype=dtype).reshape(1, -1, *[1] * (rank - 2))


def _undone(step: Step, y: NDArray[np.float64], constant: NDArray[np.float64]) -> NDArray[np.float64]:
    match step.op_type, step.constant_first:
        case "Add", _:
            return y - constant
        case "Sub", False:
            return y + constant
        case "Sub", True:
            return constant - y
        case "Mul", _:
            return y / constant
        case "Div", False:
            return y * constant
        case _:
            return constant / np.where(y == 0, np.finfo(np.float64).tiny, y)
