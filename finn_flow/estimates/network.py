"""Cycles and resources of a hardware graph as its nodes estimate them, before any simulation or synthesis."""

from __future__ import annotations

from typing import Any

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.estimates.boards import BOARD_RESOURCES
from finn_flow.estimates.nodes import estimate_node
from finn_flow.transformations.bodies import LOOP_OPS, loop_body


def estimate(model: ModelWrapper, clock_period_ns: float, board: str, part: str) -> dict[str, Any]:
    """Estimates of every node, loop and the whole network, ready for JSON.

    Keys: `nodes` (one entry per node, bodies included: cycles per pass and frame, folding, resources), `loops`
    (iterations, which are passes, bodies in a row, body II, frames in flight, feedback FIFO bits), `network` (cycles
    per frame, the node that limits,
    frames per second at the clock) and `resources` (sums beside the board's).
    """
    nodes: list[dict[str, Any]] = []
    loops: list[dict[str, Any]] = []
    for node in model.graph.node:
        nodes.append(_node(model, node, 1, "", part))
        if node.op_type in LOOP_OPS:
            inside = loop_body(node)
            body = [_node(inside, inner, nodes[-1]["iterations"], node.name, part) for inner in inside.graph.node]
            nodes += body
            loops.append(_loop(node, body))
    slowest = max(nodes, key=lambda entry: entry["cycles_per_frame"] if entry["op"] not in LOOP_OPS else 0)
    cycles = max(entry["cycles_per_frame"] for entry in nodes)
    return {
        "nodes": nodes,
        "loops": loops,
        "network": {
            "cycles_per_frame": cycles,
            "limited_by": slowest["name"],
            "clock_mhz": 1000 / clock_period_ns,
            "frames_per_second": 1e9 / (clock_period_ns * cycles),
        },
        "resources": _totals(nodes, board),
    }


def _node(model: ModelWrapper, node: NodeProto, iterations: int, loop: str, part: str) -> dict[str, Any]:
    instance = getCustomOp(node)
    attributes = instance.get_nodeattr_types()
    cycles = int(instance.get_exp_cycles())
    own_iterations = instance.get_nodeattr("iterations") if node.op_type in LOOP_OPS else iterations
    return {
        "name": node.name,
        "op": node.op_type,
        "loop": loop,
        "iterations": own_iterations,
        "cycles_per_pass": cycles // own_iterations if node.op_type in LOOP_OPS else cycles,
        "cycles_per_frame": cycles if node.op_type in LOOP_OPS else cycles * iterations,
        "folding": {name: instance.get_nodeattr(name) for name in ("PE", "SIMD") if name in attributes},
        "resources": estimate_node(model, node, part),
    }


def _loop(node: NodeProto, body: list[dict[str, Any]]) -> dict[str, Any]:
    instance = getCustomOp(node)
    limiting = max(body, key=lambda entry: entry["cycles_per_pass"])
    return {
        "name": node.name,
        "iterations": instance.get_nodeattr("iterations"),
        "bodies": instance.get_nodeattr("bodies"),
        "body_nodes": len(body),
        "body_ii_cycles": instance.body_ii_cycles,
        "limited_by": limiting["name"],
        "cycles_per_iteration": instance.body_ii_cycles,
        "cycles_per_frame": int(instance.get_exp_cycles()),
        "frames_in_flight": instance.frames_in_flight,
        "feedback_fifo_bits": instance.feedback_fifo_bits,
    }


def _totals(nodes: list[dict[str, Any]], board: str) -> dict[str, dict[str, float]]:
    available = BOARD_RESOURCES[board]
    totals = {}
    for resource in ("LUT", "DSP", "BRAM36", "URAM"):
        used = sum(entry["resources"][resource] for entry in nodes)
        totals[resource] = {
            "estimated": used,
            "available": available[resource],
            "percent": round(100 * used / available[resource], 1),
        }
    return totals
