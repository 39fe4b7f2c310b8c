"""Folding configurations in FINN's JSON format: node name to attributes, with `Defaults` by attribute and op type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.folding.options import matching_foldings
from finn_flow.json_files import read_json
from finn_flow.transformations.alternatives import alternative, alternative_name, other_types, put_in_place
from finn_flow.transformations.bodies import LOOP_OPS, loop_body, loops, set_loop_body
from finn_flow.transformations.unroll_bodies import UnrollBodies, legal_bodies, unrolled_loops

BODIES = "bodies"
"""Of loops; FINN's nodes have an attribute of this name for something else."""

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

ALL = "all"
MOST_FRAMES_IN_FLIGHT = 64

Default = tuple[str, Any, tuple[str, ...]]
"""An attribute, its value, and the op types that have it by default, or `ALL`."""

Config = dict[str, dict[str, Any]]
"""Attributes by node name; `Defaults` maps an attribute to [value, op types or "all", value, op types ...]."""


def read_folding_config(path: Path) -> Config:
    """Read a folding configuration.

    Raises
    ------
    UserError
        The file is no JSON object of objects.
    """
    config = read_json(path)
    if not isinstance(config, dict) or not all(isinstance(values, dict) for values in config.values()):
        raise UserError(f"{path}: a folding config must map node names to attributes by name")
    return config


def resolve_folding_config(model: ModelWrapper, config: Config) -> Config:
    """Return the attributes that `config` gives each node of `model` by name, bodies and `Defaults` included.

    A node that is named without attributes is there, with none. A body's node is known by its own name and, as in FINN,
    by `<loop>_body_<name>`.

    Raises
    ------
    UserError
        `config` names a node that the model does not have, or is malformed.
    """
    defaults = _defaults(config.get("Defaults", {}))
    unused = set(config) - {"Defaults"}
    resolved: Config = {}
    nodes = list(_nodes(model, ""))
    _check_defaults(defaults, [node for node, _ in nodes])
    for node, aliases in nodes:
        known = getCustomOp(node).get_nodeattr_types()
        values = {name: value for name, value, kinds in defaults if name in known and _covers(kinds, node.op_type)}
        named = sorted(aliases & set(config))
        if len(named) > 1:
            raise UserError(f"folding config: {' and '.join(named)} are the same node; give its attributes once")
        for alias in named:
            values |= config[alias]
            unused.discard(alias)
        if values or named:
            resolved[node.name] = values
    if unused:
        raise UserError(f"folding config: the model has no node called {', '.join(sorted(unused))}")
    return resolved


def _nodes(model: ModelWrapper, prefix: str) -> Iterator[tuple[NodeProto, set[str]]]:
    for node in model.graph.node:
        yield node, {node.name, f"{prefix}{node.name}"}
    for node in loops(model):
        yield from _nodes(loop_body(node), f"{prefix}{node.name}_body_")


def _defaults(section: dict[str, Any]) -> list[Default]:
    found: list[Default] = []
    for name, value in section.items():
        if not isinstance(value, list) or len(value) % 2:
            raise UserError(f"folding config: Defaults: {name} must be a list of values and op types, not {value!r}")
        for one, kinds in zip(value[::2], value[1::2], strict=True):
            types = kinds if isinstance(kinds, list) else [kinds]
            if not types or not all(isinstance(kind, str) for kind in types):
                raise UserError(f'folding config: Defaults: {name}: {kinds!r} must be "all" or a list of op types')
            found.append((name, one, tuple(types)))
    return found


def _check_defaults(defaults: Sequence[Default], nodes: Sequence[NodeProto]) -> None:
    """Refuse op types that the model does not have, and attributes that none of the nodes meant has."""
    present = {node.op_type for node in nodes}
    for name, _, kinds in defaults:
        unknown = sorted(set(kinds) - present - {ALL})
        if unknown:
            known = ", ".join(sorted(present))
            raise UserError(f"folding config: Defaults: {name}: no node is a {unknown[0]}; the model has {known}")
        if not any(_covers(kinds, node.op_type) and _has(node, name) for node in nodes):
            raise UserError(f"folding config: Defaults: no node that is meant has an attribute `{name}`")


def _has(node: NodeProto, name: str) -> bool:
    return name in getCustomOp(node).get_nodeattr_types()


def _covers(kinds: Sequence[str], op_type: str) -> bool:
    return ALL in kinds or op_type in kinds


def apply_folding_config(model: ModelWrapper, config: Config) -> Config:
    """Set the attributes that `config` gives, in the outer graph and in loop bodies; returns them by node.

    Loops get as many bodies as `config` says before nodes are looked for, so a body's nodes have the names that this
    gives them; a loop with a body per iteration is gone and has nothing else to set. What can take a node's place
    (`finn_flow.transformations.alternatives`) does so if `config` names it: as the node, but with its own type in the
    name.

    Raises
    ------
    UserError
        `config` names a node that the model does not have or that would not compute the same or be too large, an
        unknown attribute or an illegal value.
    """
    config = _unroll(model, config)
    _replace(model, set(config), "")
    resolved = resolve_folding_config(model, config)
    _apply(model, resolved)
    return resolved


def _unroll(model: ModelWrapper, config: Config) -> Config:
    """Give loops the bodies that `config` asks for; returns it with these by loop, without the loops that are gone."""
    defaults = dict(config.get("Defaults", {}))
    by_type = _defaults({BODIES: defaults.pop(BODIES, [])})
    remaining = {**config, "Defaults": defaults}
    bodies = {}
    for loop in loops(model):
        asked = [value for _, value, kinds in by_type if _covers(kinds, loop.op_type)]
        asked += [config[loop.name][BODIES]] if BODIES in config.get(loop.name, {}) else []
        if asked:
            legal = legal_bodies(loop)
            if type(asked[-1]) is not int or asked[-1] not in legal:
                allowed = ", ".join(map(str, legal))
                raise UserError(f"folding config: {loop.name}: {BODIES} must be one of {allowed}, not {asked[-1]!r}")
            bodies[loop.name] = asked[-1]
            remaining[loop.name] = {**config.get(loop.name, {}), BODIES: asked[-1]}
    model.transform(UnrollBodies(bodies), make_deepcopy=False)
    for loop in set(unrolled_loops(model)) & set(remaining):
        other = sorted(set(remaining.pop(loop)) - {BODIES})
        if other:
            raise UserError(f"folding config: {loop} has a body per iteration, so it is no loop and has no {other[0]}")
    return remaining


def _replace(model: ModelWrapper, names: set[str], prefix: str) -> None:
    """Put in the place of each node of `model` and its bodies what `names` asks for."""
    for node in model.graph.node:
        for op_type in other_types(node.op_type):
            name = alternative_name(node, op_type)
            if not names.isdisjoint({name, f"{prefix}{name}"}):
                other = alternative(model, node, op_type)
                if other is None:
                    raise UserError(
                        f"folding config: {name} would not give the same codes as {node.name} or would be too large"
                    )
                put_in_place(model, node, other)
                break
    for node in loops(model):
        body = loop_body(node)
        _replace(body, names, f"{prefix}{node.name}_body_")
        set_loop_body(node, body)


def _apply(model: ModelWrapper, resolved: Config) -> None:
    for node in model.graph.node:
        instance = getCustomOp(node)
        known = instance.get_nodeattr_types()
        attributes = resolved.get(node.name, {})
        for name, value in attributes.items():
            if name not in known:
                raise UserError(f"folding config: {node.name} has no attribute `{name}`")
            _check_folds(node.name, name, value, instance.get_nodeattr(name))
            try:
                instance.set_nodeattr(name, value)
            except Exception as error:  # FINN and qonnx raise bare exceptions for illegal values
                raise UserError(f"folding config: {node.name}: {name} must not be {value!r}: {error}") from None
        matching_foldings(node, attributes)
    for node in loops(model):
        body = loop_body(node)
        _apply(body, resolved)
        set_loop_body(node, body)


def _check_folds(node: str, name: str, value: Any, given: Any) -> None:
    """Refuse to change what the network says, and frames in flight for which no FIFO would have room."""
    if name not in FOLDING_ATTRIBUTES and value != given:
        raise UserError(f"folding config: {node}: `{name}` is the network's: it must stay {given!r}, not {value!r}")
    if name == "frames_in_flight" and not (type(value) is int and 1 <= value <= MOST_FRAMES_IN_FLIGHT):
        raise UserError(f"folding config: {node}: frames_in_flight must be 1 to {MOST_FRAMES_IN_FLIGHT}, not {value!r}")


def extract_folding(model: ModelWrapper) -> Config:
    """Return the folding of every node, bodies included, as a config for `apply_folding_config`.

    A node without folding attributes is there, too: its name says what has taken the place of another node. So are
    loops that are gone, because they have a body per iteration.
    """
    gone = {loop: {BODIES: bodies} for loop, bodies in unrolled_loops(model).items()}
    return {"Defaults": {}} | gone | {node.name: _attributes(node) for node, _ in _nodes(model, "")}


def _attributes(node: NodeProto) -> dict[str, Any]:
    instance = getCustomOp(node)
    known = instance.get_nodeattr_types()
    bodies = {BODIES: instance.get_nodeattr(BODIES)} if node.op_type in LOOP_OPS else {}
    return bodies | {name: instance.get_nodeattr(name) for name in FOLDING_ATTRIBUTES if name in known}
