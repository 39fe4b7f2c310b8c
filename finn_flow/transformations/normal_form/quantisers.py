"""Quantisers in QONNX's form: QuantizeLinear, Clip and DequantizeLinear become one Quant node."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from finn_flow.errors import UserError
from finn_flow.transformations.graph_editing import replace_nodes
from finn_flow.transformations.quantiser import QUANTISERS

_DOMAIN = "qonnx.custom_op.general"


class FuseQCDQ(Transformation):
    """Turn every QuantizeLinear-Clip-DequantizeLinear chain, the Clip being optional, into a Quant node.

    Both round half to even and saturate, so the values stay the same. Weights may be stored as integers, in front of
    their DequantizeLinear.

    Raises
    ------
    UserError
        Scale or zero-point are no constants, or the Clip's bounds are not those of an integer type.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        graph = model.graph
        if not any(node.op_type == "DequantizeLinear" for node in graph.node):
            return model, False
        chains = _Chains(model)
        nodes = []
        for node in graph.node:
            if node.op_type != "DequantizeLinear":
                nodes.append(node)
                continue
            nodes.append(chains.quantiser(node))
        replace_nodes(graph, nodes)
        if _DOMAIN not in model.get_opset_imports():
            model.model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
        return model, False


class _Chains:
    """Producers and constants of a graph, looked up in constant time."""

    def __init__(self, model: ModelWrapper) -> None:
        self.graph = model.graph
        self.producers = {name: node for node in self.graph.node for name in node.output}
        self.constants = {tensor.name: tensor for tensor in self.graph.initializer}
        self.ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in self.graph.value_info}
        self.ranks |= {value.name: len(value.type.tensor_type.shape.dim) for value in self.graph.input}

    def constant(self, node: NodeProto, name: str, what: str) -> NDArray:
        if name not in self.constants:
            raise UserError(f"{node.name}: its {what} must be a constant, not computed ({name})")
        return numpy_helper.to_array(self.constants[name])

    def quantiser(self, dequantise: NodeProto) -> NodeProto:
        scale = self.constant(dequantise, dequantise.input[1], "scale").astype(np.float32)
        source, clip = dequantise.input[0], None
        producer = self.producers.get(source)
        if producer is not None and producer.op_type == "Clip":
            clip, source = producer, producer.input[0]
            producer = self.producers.get(source)
        out = dequantise.output[0]
        axis = next((attribute.i for attribute in dequantise.attribute if attribute.name == "axis"), 1)
        if producer is not None and producer.op_type == "QuantizeLinear":
            value, kind = producer.input[0], self.kind(producer)
            if not np.array_equal(self.constant(producer, producer.input[1], "scale"), scale):
                raise UserError(f"{dequantise.name}: its scale must be that of {producer.name}; use one quantiser")
            rank = self.ranks.get(value, self.ranks.get(out, 4))
            if value in self.constants:
                rank = len(self.constants[value].dims)
        elif source in self.constants:
            codes = numpy_helper.to_array(self.constants[source])
            value, kind, rank = f"{out}_weights", codes.dtype, codes.ndim
        else:
            raise UserError(f"{dequantise.name}: must follow a QuantizeLinear (and a Clip), or an integer constant")
        zero = self.zero_point(dequantise).astype(np.float32)
        scale, zero = _per_axis(scale, rank, axis), _per_axis(zero, rank, axis)
        if value == f"{out}_weights":
            self.add(value, ((codes.astype(np.float64) - zero) * scale).astype(np.float32))
        bits, signed, narrow = self.type_of(clip, np.dtype(kind), dequantise)
        operands = {f"{out}_scale": scale, f"{out}_zero": zero, f"{out}_bits": np.float32(bits)}
        for name, array in operands.items():
            self.add(name, np.asarray(array, dtype=np.float32))
        return helper.make_node(
            "Quant",
            [value, *operands],
            [out],
            dequantise.name,
            domain=_DOMAIN,
            signed=int(signed),
            narrow=int(narrow),
            rounding_mode="ROUND",
        )

    def add(self, name: str, value: NDArray) -> None:
        self.graph.initializer.append(numpy_helper.from_array(value, name))

    def kind(self, quantise: NodeProto) -> np.dtype:
        """Integer type of a QuantizeLinear's result: that of its zero-point, uint8 without one."""
        if len(quantise.input) > 2 and quantise.input[2]:
            return np.dtype(self.constant(quantise, quantise.input[2], "zero-point").dtype)
        return np.dtype(np.uint8)

    def zero_point(self, node: NodeProto) -> NDArray:
        if len(node.input) > 2 and node.input[2]:
            return self.constant(node, node.input[2], "zero-point")
        return np.zeros((), np.float32)

    def type_of(self, clip: NodeProto | None, kind: np.dtype, node: NodeProto) -> tuple[int, bool, bool]:
        """Bit width, signedness and narrowness of the codes."""
        limits = np.iinfo(kind)
        lowest, highest = int(limits.min), int(limits.max)
        if clip is not None:
            bounds = [self.constant(clip, name, "bound") if name else None for name in (*clip.input[1:], "", "")[:2]]
            lowest = lowest if bounds[0] is None else max(lowest, int(bounds[0]))
            highest = highest if bounds[1] is None else min(highest, int(bounds[1]))
        bits = highest.bit_length() + (lowest < 0)
        signed = lowest < 0
        expected = 2 ** (bits - signed) - 1
        if highest != expected or lowest not in (0, -expected, -expected - 1):
            where = node.name if clip is None else clip.name
            raise UserError(f"{where}: bounds {lowest} to {highest} must be those of an integer type, as -8 to 7")
        return bits, signed, signed and lowest == -expected


def _per_axis(values: NDArray, rank: int, axis: int) -> NDArray:
    if values.size == 1:
        return values.reshape(())
    shape = [1] * rank
    shape[axis] = values.size
    return values.reshape(shape)


class TransposeWeights(Transformation):
    """Move a Transpose of quantised weights in front of their quantiser, into the constants."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        graph = model.graph
        constants = {tensor.name: tensor for tensor in graph.initializer}
        quantisers = {n.output[0]: n for n in graph.node if n.op_type in QUANTISERS}
        nodes = []
        for node in graph.node:
            quantiser = quantisers.get(node.input[0]) if node.op_type == "Transpose" else None
            if quantiser is None or quantiser.input[0] not in constants:
                nodes.append(node)
                continue
            moved = NodeProto()
            moved.CopyFrom(quantiser)
            moved.name, moved.output[0] = node.name, node.output[0]
            given = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "perm"), None)
            for position, name in enumerate(quantiser.input):
                if name not in constants:
                    continue
                value = numpy_helper.to_array(constants[name])
                rank = len(constants[quantiser.input[0]].dims)
                if value.ndim == rank and rank:
                    moved.input[position] = f"{node.output[0]}_{position}"
                    turned = np.ascontiguousarray(np.transpose(value, given))
                    graph.initializer.append(numpy_helper.from_array(turned, moved.input[position]))
            nodes.append(moved)
        replace_nodes(graph, nodes)
        return model, False
