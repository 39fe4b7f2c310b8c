"""Elementwise float functions of integer codes, evaluated operation by operation as the graph states them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

Floats = NDArray[np.float32]

UNARY_OPS = frozenset(
    {
        "Abs",
        "Atan",
        "Celu",
        "Ceil",
        "Clip",
        "Cos",
        "Elu",
        "Erf",
        "Exp",
        "Floor",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "LeakyRelu",
        "Log",
        "Mish",
        "Neg",
        "PRelu",
        "Reciprocal",
        "Relu",
        "Round",
        "Selu",
        "Sigmoid",
        "Sign",
        "Sin",
        "Softplus",
        "Softsign",
        "Sqrt",
        "Tanh",
        "ThresholdedRelu",
    }
)
BINARY_OPS = frozenset({"Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"})
ELEMENTWISE_OPS = UNARY_OPS | BINARY_OPS

_NUMPY: dict[str, Callable[..., Floats]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Neg": np.negative,
    "Relu": lambda x: np.maximum(x, np.float32(0)),
}
"""Operations whose float32 result IEEE 754 determines; ONNX Runtime computes the others."""

_MONOTONE = frozenset({"Add", "Sub", "Mul", "Div", "Neg", "Relu", "Clip", "Max", "Min", "Floor", "Ceil", "Round"})
"""Operations that, with one operand constant, rise or fall everywhere, in float32 as well (a division by it too)."""


@dataclass(frozen=True)
class Source:
    """The value of an integer tensor: code · scale, in float32; `scale` is [1, 1, channels or 1, 1]."""

    tensor: str
    scale: Floats


@dataclass(frozen=True, eq=False)
class Operation:
    """An elementwise ONNX node on expressions and constants.

    Constants broadcast against [iterations, positions, channels, codes]; those without axes stay scalars.
    """

    node: NodeProto
    operands: tuple[Expression, ...] = field(default=())


Expression = Source | Operation | Floats


def evaluate(expression: Expression, codes: Mapping[str, NDArray[np.integer]]) -> Floats:
    """Return float32 values of `expression` for codes of its sources, [iterations, positions, channels, codes]."""
    known: dict[int, Floats] = {}

    def value(part: Expression) -> Floats:
        if isinstance(part, np.ndarray):
            return part
        if id(part) not in known:
            if isinstance(part, Source):
                known[id(part)] = codes[part.tensor].astype(np.float32) * part.scale
            else:
                known[id(part)] = _apply(part.node, [value(operand) for operand in part.operands])
        return known[id(part)]

    with np.errstate(all="ignore"):
        return value(expression)


def is_monotone(expression: Expression) -> bool:
    """Whether `expression` surely rises or surely falls everywhere, for each element by itself."""
    while isinstance(expression, Operation):
        dynamic = [operand for operand in expression.operands if not isinstance(operand, np.ndarray)]
        kind = expression.node.op_type
        if kind not in _MONOTONE or len(dynamic) != 1:
            return False
        if kind in ("Div", "Clip") and dynamic[0] is not expression.operands[0]:
            return False
        expression = dynamic[0]
    return isinstance(expression, Source)


def split_sum(expression: Expression) -> tuple[Expression, Expression, bool] | None:
    """Return the operands of the addition inside monotone operations, and whether the second is subtracted.

    None where there is no such addition.
    """
    while isinstance(expression, Operation):
        dynamic = [operand for operand in expression.operands if not isinstance(operand, np.ndarray)]
        if len(dynamic) == 2 and expression.node.op_type in ("Add", "Sub"):
            return dynamic[0], dynamic[1], expression.node.op_type == "Sub"
        if len(dynamic) != 1:
            return None
        expression = dynamic[0]
    return None


def sources_of(expression: Expression) -> set[str]:
    """Return the integer tensors that an expression depends on."""
    if isinstance(expression, np.ndarray):
        return set()
    if isinstance(expression, Source):
        return {expression.tensor}
    return set().union(*(sources_of(operand) for operand in expression.operands))


def _apply(node: NodeProto, values: list[Floats]) -> Floats:
    if node.op_type in _NUMPY:
        return np.asarray(_NUMPY[node.op_type](*values), dtype=np.float32)
    shape = np.broadcast_shapes(*(value.shape for value in values))
    full = [np.broadcast_to(value, shape) if value.ndim else value for value in values]
    if node.op_type == "PRelu" or node.op_type in BINARY_OPS:
        full = [np.broadcast_to(value, shape) for value in values]
    feeds = {f"x{i}": np.ascontiguousarray(value, dtype=np.float32) for i, value in enumerate(full)}
    feeds = {name: value.reshape(full[i].shape) for i, (name, value) in enumerate(feeds.items())}
    ranks = tuple(value.ndim for value in full)
    (result,) = _session(_attributes(node), ranks).run(None, feeds)
    return np.asarray(result, dtype=np.float32)


def _attributes(node: NodeProto) -> bytes:
    bare = helper.make_node(node.op_type, [], [])
    bare.attribute.extend(node.attribute)
    return bytes(bare.SerializeToString())


@cache
def _session(attributes: bytes, ranks: tuple[int, ...]) -> onnxruntime.InferenceSession:
    node = NodeProto.FromString(attributes)
    names = [f"x{i}" for i in range(len(ranks))]
    node.input.extend(names)
    node.output.append("y")
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank)
        for name, rank in zip(names, ranks, strict=True)
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    opset = helper.make_opsetid("", 20)
    model = helper.make_model(helper.make_graph([node], "op", inputs, [output]), opset_imports=[opset], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
