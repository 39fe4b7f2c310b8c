"""Folding configurations in FINN's JSON format: node name to attributes, with ``Defaults`` by attribute and op type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.folding.options import matching_foldings
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

Config = dict[str, dict[str, Any]]
"""Attributes by node name; ``Defaults`` maps an attribute to [value, op types or "all", value, op types ...]."""


def read_folding_config(path: Path) -> Config:
    """Read a folding configuration.

    Raises
    ------
    UserError : the file is no JSON object of objects.
    """
    try:
        config = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a JSON file: {error}") from None
    if not isinstance(config, dict) or not all(isinstance(values, dict) for values in config.values()):
        raise UserError(f"{path}: a folding config must map node names to attributes by name")
    return config


def resolve_folding_config(model: ModelWrapper, config: Config) -> Config:
    """Return the attributes that ``config`` gives each node of ``model`` by name, bodies and ``Defaults`` included.

    A body's node is known by its own name and, as in FINN, by ``<loop>_body_<name>``.

    Raises
    ------
    UserError : ``config`` names a node that the model does not have, or is malformed.
    """
    defaults = _defaults(config.get("Defaults", {}))
    unused = set(config) - {"Defaults"}
    resolved: Config = {}
    for node, aliases in _nodes(model, ""):
        known = getCustomOp(node).get_nodeattr_types()
        values = {name: value for name, value, kinds in defaults if name in known and _covers(kinds, node.op_type)}
        for alias in aliases & set(config):
            values |= config[alias]
            unused.discard(alias)
        if values:
            resolved[node.name] = values
    if unused:
        raise UserError(f"folding config: the model has no node called {', '.join(sorted(unused))}")
    return resolved


def _nodes(model: ModelWrapper, prefix: str) -> Iterator[tuple[NodeProto, set[str]]]:
    for node in model.graph.node:
        yield node, {node.name, f"{prefix}{node.name}"}
    for node in loops(model):
        yield from _nodes(loop_body(node), f"{prefix}{node.name}_body_")


def _defaults(section: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    found = []
    for name, value in section.items():
        if not isinstance(value, list) or len(value) % 2:
            raise UserError(f"folding config: Defaults: {name} must be a list of values and op types, not {value!r}")
        found += [(name, one, kinds) for one, kinds in zip(value[::2], value[1::2], strict=True)]
    return found


def _covers(kinds: list[str] | str, op_type: str) -> bool:
    return kinds == "all" or op_type in kinds


def apply_folding_config(model: ModelWrapper, config: Config) -> Config:
    """Set the attributes that ``config`` gives, in the outer graph and in loop bodies; returns them by node.

    Raises
    ------
    UserError : ``config`` names a node that the model does not have, an unknown attribute or an illegal value.
    """
    resolved = resolve_folding_config(model, config)
    _apply(model, resolved)
    return resolved


def _apply(model: ModelWrapper, resolved: Config) -> None:
    for node in model.graph.node:
        instance = getCustomOp(node)
        known = instance.get_nodeattr_types()
        attributes = resolved.get(node.name, {})
        for name, value in attributes.items():
            if name not in known:
                raise UserError(f"folding config: {node.name} has no attribute `{name}`")
            try:
                instance.set_nodeattr(name, value)
            except Exception as error:  # FINN and qonnx raise bare exceptions for illegal values
                raise UserError(f"folding config: {node.name}: {name} must not be {value!r}: {error}") from None
        matching_foldings(node, attributes)
    for node in loops(model):
        body = loop_body(node)
        _apply(body, resolved)
        set_loop_body(node, body)


def extract_folding(model: ModelWrapper) -> Config:
    """The folding of every node, bodies included, as a config for `apply_folding_config`."""
    config: Config = {"Defaults": {}}
    for node, _ in _nodes(model, ""):
        attributes = _attributes(node)
        if attributes:
            config[node.name] = attributes
    return config


def _attributes(node: NodeProto) -> dict[str, Any]:
    instance = getCustomOp(node)
    known = instance.get_nodeattr_types()
    return {name: instance.get_nodeattr(name) for name in FOLDING_ATTRIBUTES if name in known}
