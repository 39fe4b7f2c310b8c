"""Where the tensors of a hardware graph meet the stream ports of its nodes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from qonnx.core.datatype import BaseDataType
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.base import HardwareOp
from custom_ops.streams import Stream as OpStream


@dataclass(frozen=True)
class End:
    """One end of a stream: a port of an instance ("" is the module itself), and how it sees the tensor."""

    instance: str
    port: str
    tensor: str
    shape: tuple[int, ...]
    datatype: str
    bits: int
    pe: int

    @classmethod
    def of(cls, instance: str, port: str, tensor: str, stream: OpStream) -> End:
        """Return the end of a stream of one of our ops."""
        datatype = stream.datatype
        return cls(instance, port, tensor, tuple(stream.shape), datatype.name, datatype.bitwidth(), stream.pe)

    @property
    def words(self) -> int:
        """Words per pass."""
        return math.prod(self.shape) // self.pe

    def at(self, instance: str, port: str) -> End:
        """Return the same stream at another port."""
        return End(instance, port, self.tensor, self.shape, self.datatype, self.bits, self.pe)

    def __str__(self) -> str:
        words = " x ".join(str(n) for n in self.shape)
        return f"{self.instance or 'the graph'} has {words} {self.datatype} in words of {self.pe}"


def input_ends(model: ModelWrapper, op: Any) -> list[End]:
    """Return the ends of a node's dynamic inputs, in the order of its ports `in0_V`, ..."""
    node = op.onnx_node
    if isinstance(op, HardwareOp):
        return [
            End.of(node.name, f"in{i}_V", node.input[stream.tensor], stream)
            for i, stream in enumerate(op.input_streams())
        ]
    dynamic = [i for i, name in enumerate(node.input) if name and model.get_initializer(name) is None]
    return [
        _finn_end(
            op,
            f"in{i}_V",
            node.input[i],
            op.get_normal_input_shape(i),
            op.get_folded_input_shape(i),
            op.get_input_datatype(i),
        )
        for i in dynamic
    ]


def output_ends(op: Any) -> list[End]:
    """Return the ends of a node's outputs, in the order of its ports `out0_V`, ..."""
    node = op.onnx_node
    if isinstance(op, HardwareOp):
        return [End.of(node.name, f"out{i}_V", node.output[i], stream) for i, stream in enumerate(op.output_streams())]
    return [
        _finn_end(
            op,
            f"out{i}_V",
            name,
            op.get_normal_output_shape(i),
            op.get_folded_output_shape(i),
            op.get_output_datatype(i),
        )
        for i, name in enumerate(node.output)
    ]


def _finn_end(op: Any, port: str, tensor: str, shape: Any, folded: Any, datatype: BaseDataType) -> End:
    normal = tuple(int(n) for n in shape)
    return End(op.onnx_node.name, port, tensor, normal, datatype.name, datatype.bitwidth(), int(folded[-1]))
