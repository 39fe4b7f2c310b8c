"""Neighbouring nodes with different stream widths get a width converter between them."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import NodeProto, helper
from qonnx.core.datatype import BaseDataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from custom_ops.hardware import DOMAIN
from finn_flow.transformations.bodies import index_tensor, loop_body, loops, set_loop_body


class InsertWidthConverters(Transformation):
    """Put a `StreamingDataWidthConverter_rtl` wherever a producer's word differs from its reader's, bodies included.

    A loop's stream is as wide as its attribute `PE` says, which is the width at both ends of its body. Every tensor
    must have one reader (see `InsertForks`).
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        for node in loops(model):
            body = loop_body(node).transform(InsertWidthConverters())
            elements = getCustomOp(node).get_nodeattr("PE")
            _connect(body, {body.graph.input[0].name: elements}, {body.graph.output[0].name: elements})
            set_loop_body(node, body)
        _connect(model, {}, {})
        return model, False


def _connect(model: ModelWrapper, entry: dict[str, int], exit_: dict[str, int]) -> None:
    """Insert converters on all edges; `entry` and `exit_` give the elements per word at the graph's ends."""
    written = dict(entry)
    for node in model.graph.node:
        instance = getCustomOp(node)
        for i, name in enumerate(node.output):
            written[name] = instance.get_folded_output_shape(i)[-1]
    index = index_tensor(model)
    for node in list(model.graph.node):
        instance = getCustomOp(node)
        for i, name in enumerate(node.input):
            if name not in written or name == index:
                continue
            elements = instance.get_folded_input_shape(i)[-1]
            if elements != written[name]:
                wide = f"{name}_resized"
                _insert(model, name, wide, written[name], elements, f"Width_{name}")
                node.input[i] = wide
    for name, elements in exit_.items():
        if elements != written[name]:
            inner = f"{name}_unsized"
            producer = model.find_producer(name)
            producer.output[list(producer.output).index(name)] = inner
            _annotate_like(model, name, inner)
            _insert(model, inner, name, written[name], elements, f"Width_{name}")


def width_converter(
    source: str, sink: str, shape: Sequence[int], dtype: BaseDataType, in_elements: int, out_elements: int
) -> NodeProto:
    """Return a converter from words of `in_elements` to words of `out_elements`, without a name."""
    return helper.make_node(
        "StreamingDataWidthConverter_rtl",
        [source],
        [sink],
        domain=DOMAIN,
        backend="fpgadataflow",
        inShape=shape,
        outShape=shape,
        inWidth=in_elements * dtype.bitwidth(),
        outWidth=out_elements * dtype.bitwidth(),
        dataType=dtype.name,
        exec_mode="cppsim",
    )


def _insert(model: ModelWrapper, source: str, sink: str, in_elements: int, out_elements: int, name: str) -> None:
    shape, dtype = model.get_tensor_shape(source), model.get_tensor_datatype(source)
    converter = width_converter(source, sink, shape, dtype, in_elements, out_elements)
    converter.name = name
    producer = model.find_producer(source)
    position = 0 if producer is None else list(model.graph.node).index(producer) + 1
    model.graph.node.insert(position, converter)
    _annotate_like(model, source, sink)


def _annotate_like(model: ModelWrapper, known: str, new: str) -> None:
    model.set_tensor_shape(new, model.get_tensor_shape(known))
    model.set_tensor_datatype(new, model.get_tensor_datatype(known))
