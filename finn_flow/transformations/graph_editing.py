"""Edits of whole graphs in linear time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from onnx import GraphProto, NodeProto

from finn_flow.transformations.graph_index import live_nodes


def replace_nodes(graph: GraphProto, nodes: Iterable[NodeProto]) -> None:
    """Make `nodes`, topologically sorted, the nodes of `graph`, without those that no graph output needs.

    Initialisers, value infos and annotations of tensors that are gone go as well; graph inputs stay.
    """
    kept = list(nodes)
    kept = [kept[number] for number in live_nodes(kept, (value.name for value in graph.output))]
    used = {name for node in kept for name in (*node.input, *node.output)}
    used.update(value.name for values in (graph.input, graph.output) for value in values)
    _replace(graph.node, kept)
    _replace(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in used])
    _replace(graph.value_info, [value for value in graph.value_info if value.name in used])
    annotations = [entry for entry in graph.quantization_annotation if entry.tensor_name in used]
    _replace(graph.quantization_annotation, annotations)


def is_sorted(graph: GraphProto) -> bool:
    """Tell whether every node of `graph` stands behind the nodes whose outputs it reads."""
    pending = {name for node in graph.node for name in node.output}
    for node in graph.node:
        if not pending.isdisjoint(node.input):
            return False
        pending.difference_update(node.output)
    return True


def _replace(field: Any, entries: list[Any]) -> None:
    del field[:]
    field.extend(entries)


def light_copy(node: NodeProto) -> NodeProto:
    """Return a copy of a node to try attributes on; a loop's body comes without its constants."""
    copy = NodeProto()
    copy.CopyFrom(node)
    for attribute in copy.attribute:
        if attribute.name == "body":
            del attribute.g.initializer[:]
    return copy
