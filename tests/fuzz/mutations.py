"""Damage, drawn by a seeded generator: of bytes anywhere, and of JSON values where they stand."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import onnx

SHARP_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**64,
    10**400,
    0.5,
    float("nan"),
    float("inf"),
    "",
    "x" * 5000,
    "../../etc/passwd",
    "/dev/zero",
    "a;b [exec x] $c {",
    "\ud800",
    "0",
    [],
    {},
    [[[]]],
    {"": None},
)
"""Values of the wrong type, sign, size or encoding."""

NESTING = 100_000
"""Levels of brackets that no recursive parser comes through."""


def damaged_bytes(data: bytes, random: Random) -> bytes:
    """Return `data` cut short, or with bytes turned, put in, taken out, or repeated."""
    changed = bytearray(data)
    kind = random.randrange(6)
    if kind == 0:
        return bytes(changed[: random.randrange(len(changed) + 1)])
    for _ in range(random.choice((1, 2, 8, 64))):
        at = random.randrange(len(changed) + 1)
        if kind == 1 and at < len(changed):
            changed[at] ^= 1 << random.randrange(8)
        elif kind == 2:
            changed[at:at] = random.randbytes(random.randrange(1, 9))
        elif kind == 3:
            del changed[at : at + random.randrange(1, 64)]
        elif kind == 4 and at < len(changed):
            changed[at] = random.choice((0, 0x7F, 0x80, 0xFF))
        else:
            end = random.randrange(at, len(changed) + 1)
            changed[at:at] = changed[at : min(end, at + 256)]
    return bytes(changed)


def damaged_json(value: Any, random: Random) -> bytes:
    """Return the text of `value` with one to three of its parts replaced, taken out, added or renamed."""
    if random.random() < 0.02:
        return random.choice((b"[", b'{"a":')) * NESTING
    if random.random() < 0.1:
        return damaged_bytes(json.dumps(value).encode(), random)
    changed = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            break
        holder, key = random.choice(places)
        _damage(holder, key, random)
    return json.dumps(changed).encode()


def damaged_model(model: onnx.ModelProto, random: Random) -> bytes:
    """Return a model with one to three nodes, attributes, tensors or versions changed, or with damaged bytes."""
    if random.random() < 0.2:
        return damaged_bytes(model.SerializeToString(), random)
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    for _ in range(random.choice((1, 1, 2, 3))):
        node = random.choice(graph.node)
        kind = random.randrange(10)
        if kind == 0:
            node.op_type = random.choice(("Conv", "Add", "Nonsense", "", "Loop", "Relu", "Quant"))
        elif kind == 1:
            node.domain = random.choice(("", "nowhere", "qonnx.custom_op.general"))
        elif kind == 2 and node.input:
            node.input[random.randrange(len(node.input))] = random.choice(("", "absent", node.output[0]))
        elif kind == 3 and node.attribute:
            attribute = random.choice(node.attribute)
            random.choice((_drop, _negate, _empty))(node, attribute)
        elif kind == 4:
            del node.output[:]
        elif kind == 5 and graph.initializer:
            tensor = random.choice(graph.initializer)
            if tensor.data_type == onnx.TensorProto.FLOAT and tensor.raw_data:
                values = np.frombuffer(tensor.raw_data, np.float32).copy()
                values.ravel()[random.randrange(values.size)] = random.choice((np.nan, np.inf, -1, 0, 1e30))
                tensor.raw_data = values.tobytes()
        elif kind == 6 and graph.initializer:
            tensor = random.choice(graph.initializer)
            tensor.dims.append(random.choice((0, 3, -1, 2**40)))
        elif kind == 7 and changed.opset_import:
            opset = random.choice(changed.opset_import)
            opset.version = random.choice((-1, 0, 1, 10**6))
        elif kind == 8:
            del graph.node[random.randrange(len(graph.node))]
        else:
            dims = random.choice((*graph.input, *graph.output)).type.tensor_type.shape.dim
            if dims:
                random.choice(dims).dim_value = random.choice((0, -1, 7, 2**40))
        if not graph.node:
            break
    return changed.SerializeToString()


def _drop(node: onnx.NodeProto, attribute: onnx.AttributeProto) -> None:
    node.attribute.remove(attribute)


def _negate(node: onnx.NodeProto, attribute: onnx.AttributeProto) -> None:
    attribute.i, attribute.f = -attribute.i - 1, -attribute.f - 1
    attribute.ints[:] = [-value for value in attribute.ints]


def _empty(node: onnx.NodeProto, attribute: onnx.AttributeProto) -> None:
    attribute.s = b""
    del attribute.ints[:]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every object or list in `value` with each of its keys or positions."""
    entries: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    for key, entry in entries:
        yield value, key
        yield from _places(entry)


def _damage(holder: Any, key: Any, random: Random) -> None:
    kind = random.randrange(4)
    if kind == 0 and isinstance(holder, dict):
        holder[f"{key}_"] = holder.pop(key)
    elif kind == 1:
        del holder[key]
    elif kind == 2 and isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
        holder[key] = random.choice((-holder[key], holder[key] * 10**9, str(holder[key]), [holder[key]]))
    else:
        holder[key] = copy.deepcopy(random.choice(SHARP_VALUES))
