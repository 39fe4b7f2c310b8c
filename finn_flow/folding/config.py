"""Folding configurations in FINN's JSON format: node name to attributes, with ``Defaults`` by attribute."""

from __future__ import annotations

from typing import Any

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.transformations.bodies import loop_body, loops, set_loop_body

FOLDING_ATTRIBUTES = (
    "PE",
    "SIMD",
    "parallel_window",
    "ram_style",
    "mem_mode",
    "resType",
    "frames_in_flight",
    "feedback_ram_style",
    "input_ram_style",
    "depth_trigger_bram",
    "depth_trigger_uram",
)


def apply_folding_config(model: ModelWrapper, config: dict[str, Any]) -> None:
    """Set the attributes that ``config`` gives, in the outer graph and in loop bodies.

    Raises
    ------
    UserError : ``config`` names a node that the model does not have, an unknown attribute or an illegal value.
    """
    entries = {name: dict(values) for name, values in config.items() if name != "Defaults"}
    _apply(model, entries)
    for node in loops(model):
        body = loop_body(node)
        _apply(body, entries)
        set_loop_body(node, body)
    if entries:
        raise UserError(f"folding config: the model has no node called {', '.join(sorted(entries))}")


def _apply(model: ModelWrapper, entries: dict[str, dict[str, Any]]) -> None:
    for node in model.graph.node:
        attributes = entries.pop(node.name, {})
        instance = getCustomOp(node)
        known = instance.get_nodeattr_types()
        for name, value in attributes.items():
            if name not in known:
                raise UserError(f"folding config: {node.name} has no attribute `{name}`")
            try:
                instance.set_nodeattr(name, value)
            except Exception as error:  # FINN and qonnx raise bare exceptions for illegal values
                raise UserError(f"folding config: {node.name}: {name} must not be {value!r}: {error}") from None


def extract_folding(model: ModelWrapper) -> dict[str, dict[str, Any]]:
    """The folding of every node, bodies included, as a config that `apply_folding_config` and FINN accept."""
    config: dict[str, dict[str, Any]] = {"Defaults": {}}
    for graph in (model, *(loop_body(node) for node in loops(model))):
        for node in graph.graph.node:
            attributes = _attributes(node)
            if attributes:
                config[node.name] = attributes
    return config


def _attributes(node: NodeProto) -> dict[str, Any]:
    instance = getCustomOp(node)
    known = instance.get_nodeattr_types()
    return {name: instance.get_nodeattr(name) for name in FOLDING_ATTRIBUTES if name in known}
