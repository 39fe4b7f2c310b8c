"""Synthesis of a build's netlist: each node, the sum, how it compares with the board and with the quick estimates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build_folder import GRAPH_FILE, BuildFolder
from finn_flow.estimates.boards import BOARD_RESOURCES
from finn_flow.estimates.nodes import estimate_node
from finn_flow.files import atomic_write_json
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.netlist import Netlist
from finn_flow.synthesis.engine import PROCESSES, synthesise_all
from finn_flow.synthesis.nodes import units, whole
from finn_flow.synthesis.resources import LABEL, Resources, total
from finn_flow.transformations.bodies import loop_body, loops

BOARD = "ZCU104"
COMPARED: tuple[Literal["LUT", "DSP", "BRAM36", "URAM"], ...] = ("LUT", "DSP", "BRAM36", "URAM")


@dataclass(frozen=True)
class NodeResources:
    """One node: what synthesis gave, and what the quick estimate says (LUT, DSP, BRAM36, URAM)."""

    name: str
    op_type: str
    loop: str
    resources: Resources
    estimate: dict[str, float]


@dataclass(frozen=True)
class SynthesisReport:
    """The resources of an accelerator.

    Parameters
    ----------
    nodes
        All nodes, or the one that was asked for.
    flat
        The accelerator synthesised as one, where that was asked for.
    """

    nodes: tuple[NodeResources, ...]
    flat: Resources | None = None

    @property
    def sum(self) -> Resources:
        """The nodes' resources together."""
        return total(node.resources for node in self.nodes)

    def board_shares(self) -> dict[str, dict[str, float]]:
        """Return used, available and percent of the board's resources."""
        used = {**board_figures(self.sum), "FF": self.sum.ff}
        return {
            name: {"used": used[name], "available": count, "percent": round(100 * used[name] / count, 1)}
            for name, count in BOARD_RESOURCES[BOARD].items()
        }

    def estimate_errors(self) -> list[dict[str, Any]]:
        """Return, per node type, sums of synthesis and estimate, and the largest error of a node's LUTs in percent."""
        rows = []
        for op_type in sorted({node.op_type for node in self.nodes}):
            group = [node for node in self.nodes if node.op_type == op_type]
            row: dict[str, Any] = {"op": op_type, "nodes": len(group)}
            for name in COMPARED:
                found = sum(board_figures(node.resources)[name] for node in group)
                row[name] = {"synthesis": found, "estimate": sum(node.estimate[name] for node in group)}
            luts = [(node.estimate["LUT"], max(1, node.resources.lut_total)) for node in group]
            row["lut_error_percent"] = _percent(row["LUT"]["estimate"], max(1, row["LUT"]["synthesis"]))
            row["worst_lut_error_percent"] = max((_percent(*pair) for pair in luts), key=abs)
            rows.append(row)
        return rows

    def to_json(self) -> dict[str, Any]:
        """Return what `report/synthesis.json` holds."""
        return {
            "what": LABEL,
            "board": BOARD,
            "nodes": [{**asdict(node), "resources": node.resources.to_json()} for node in self.nodes],
            "sum": self.sum.to_json(),
            "flat": None if self.flat is None else self.flat.to_json(),
            "shares": self.board_shares(),
            "estimate_errors": self.estimate_errors(),
        }


def board_figures(resources: Resources) -> dict[str, float]:
    """Return resources under the names of the board's table and of the estimates."""
    return {
        "LUT": resources.lut_total,
        "DSP": resources.dsp48e2,
        "BRAM36": resources.bram36,
        "URAM": resources.uram288,
    }


def synthesise_build(
    folder: Path,
    node: str | None = None,
    flat: bool = False,
    processes: int = PROCESSES,
    progress: Callable[[str], None] | None = None,
) -> SynthesisReport:
    """Synthesise the netlist of the build in `folder`; of all nodes, it is also written to `report/synthesis.json`.

    Parameters
    ----------
    node
        Only this node.
    flat
        Synthesise the accelerator as one, too; much slower than its nodes.
    processes
        How many run at a time, >= 1.

    Raises
    ------
    UserError
        There is no netlist in `folder`, or no such node in it.
    FlowError
        The tool failed on a node.
    """
    ensure_finn()
    netlist = Netlist.load(BuildFolder(folder).netlist)
    parts = units(netlist, node)
    estimates = _estimates(ModelWrapper(str(netlist.folder / GRAPH_FILE)), netlist.fpgapart)
    if progress:
        progress(f"synthesis of {len(parts)} nodes, those known from earlier runs excepted")
    results = synthesise_all([part.job for part in parts], processes, progress)
    nodes = tuple(
        NodeResources(part.name, part.op_type, part.loop, result, estimates[part.name])
        for part, result in zip(parts, results, strict=True)
    )
    whole_result = synthesise_all([whole(netlist)], 1, progress)[0] if flat else None
    report = SynthesisReport(nodes, whole_result)
    if node is None:
        atomic_write_json(BuildFolder(folder).synthesis, report.to_json())
    return report


def _estimates(model: ModelWrapper, part: str) -> dict[str, dict[str, float]]:
    """Return the quick estimates of all nodes by name, bodies included."""
    found = {node.name: estimate_node(model, node, part) for node in model.graph.node}
    for loop in loops(model):
        found |= _estimates(loop_body(loop), part)
    return found


def _percent(estimate: float, found: float) -> float:
    return round(100 * (estimate / found - 1), 1)
