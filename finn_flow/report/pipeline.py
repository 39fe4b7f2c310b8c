"""The pipeline of a hardware graph as nodes and streams, loops with their bodies."""

from __future__ import annotations

from onnx import NodeProto, ValueInfoProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.report.data import Graph, Node
from finn_flow.transformations.bodies import LOOP_OPS, loop_body


def pipeline(model: ModelWrapper) -> Graph:
    """Return nodes and streams in graph order, without constants and the streams of iteration numbers."""
    graph = model.graph
    producers = {graph.input[0].name: ""} | {name: node.name for node in graph.node for name in node.output}
    readers = [(name, node.name) for node in graph.node for name in node.input]
    readers += [(entry.name, "") for entry in graph.output]
    return Graph(
        nodes=[_node(node) for node in graph.node],
        edges=[(producers[name], reader) for name, reader in readers if name in producers],
        input=_stream(model, graph.input[0]),
        output=_stream(model, graph.output[0]),
    )


def _node(node: NodeProto) -> Node:
    depth = getCustomOp(node).get_nodeattr("depth") if node.op_type == "StreamingFIFO_rtl" else 0
    body = pipeline(loop_body(node)) if node.op_type in LOOP_OPS else None
    return Node(name=node.name, op=node.op_type, fifo_depth=depth, body=body)


def _stream(model: ModelWrapper, entry: ValueInfoProto) -> str:
    shape = model.get_tensor_shape(entry.name)[1:]
    return f"{'x'.join(str(n) for n in shape)} {model.get_tensor_datatype(entry.name).name}"
