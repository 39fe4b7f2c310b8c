"""Static timing of a build: every node, the borders between them, and what has very many loads."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finn_flow.build_folder import BuildFolder
from finn_flow.cache import cache_subdir
from finn_flow.errors import UserError
from finn_flow.files import atomic_write_json
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.netlist import Netlist
from finn_flow.synthesis.engine import PROCESSES, mapped_netlist, result_keys, synthesise_all
from finn_flow.synthesis.job import StagedJob
from finn_flow.synthesis.nodes import Unit, units
from finn_flow.timing import delays, graph, paths
from finn_flow.timing.accelerator import AcceleratorTiming, NodePath
from finn_flow.timing.delays import MODEL
from finn_flow.timing.paths import ModuleTiming, module_timing
from finn_flow.verilator.toolchain import content_hash

TARGET_NS = 4.0
"""What every path must take at most, so that a clock of 5 ns has a fifth to spare."""
WORST = 20


@dataclass(frozen=True)
class TimingReport:
    """Timing of an accelerator by the delay model.

    Parameters
    ----------
    paths
        The slowest of the whole accelerator, slowest first, at most `WORST`.
    slowest
        By node the slowest path that ends in it, in ns.
    fan_outs
        Nets with more than `finn_flow.timing.paths.MANY_LOADS` loads.
    """

    paths: tuple[NodePath, ...]
    slowest: dict[str, float]
    fan_outs: dict[str, int]

    @property
    def worst_ns(self) -> float:
        """Delay of the slowest path."""
        return self.paths[0].path.delay_ns if self.paths else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return what `report/timing.json` holds."""
        return {
            "what": MODEL,
            "target_ns": TARGET_NS,
            "worst_ns": self.worst_ns,
            "paths": [asdict(path) for path in self.paths],
            "slowest_ns_by_node": self.slowest,
            "fan_outs": self.fan_outs,
        }


def time_build(folder: Path, processes: int = PROCESSES, progress: Callable[[str], None] | None = None) -> TimingReport:
    """Time the netlist of the build in `folder`, and write `report/timing.json`.

    Raises
    ------
    UserError
        There is no netlist in `folder`.
    FlowError
        The synthesis tool failed on a node, or there is a combinational loop.
    """
    ensure_finn()
    netlist = Netlist.load(BuildFolder(folder).netlist)
    if netlist.modules[netlist.top].has_clock2x:
        raise UserError(f"{folder} has nodes on a second clock, which timing does not know; build without pumped nodes")
    parts = units(netlist)
    report = _report(netlist, parts, time_jobs([part.job for part in parts], processes, progress))
    atomic_write_json(BuildFolder(folder).timing, report.to_json())
    return report


def _report(netlist: Netlist, parts: list[Unit], timings: Sequence[ModuleTiming]) -> TimingReport:
    named = {part.name: timing for part, timing in zip(parts, timings, strict=True)}
    accelerator = AcceleratorTiming(netlist, parts, named)
    found = accelerator.paths()
    slowest: dict[str, float] = {part.name: 0.0 for part in parts}
    for path in found:
        slowest[path.end_node] = max(slowest[path.end_node], path.path.delay_ns)
    fan_outs = {net: loads for part in parts for net, loads in accelerator.node(part.name).fan_outs.items()}
    return TimingReport(tuple(found[:WORST]), slowest, dict(sorted(fan_outs.items(), key=lambda item: -item[1])))


def time_jobs(
    jobs: Sequence[StagedJob], processes: int = PROCESSES, progress: Callable[[str], None] | None = None
) -> list[ModuleTiming]:
    """Return the timing of modules; what was timed before comes from the cache.

    Raises
    ------
    FlowError
        As `synthesise_all` and `module_timing`.
    """
    synthesise_all(jobs, processes, progress)
    known: dict[str, ModuleTiming] = {}
    own = [inspect.getsource(module) for module in (delays, graph, paths)]
    found = []
    for job, name in zip(jobs, result_keys(jobs), strict=True):
        key = content_hash(*own, name)
        if key not in known:
            known[key] = _timed(job, cache_subdir("timing") / f"{job.top[:40]}-{key}.json")
        found.append(known[key])
    return found


def _timed(job: StagedJob, path: Path) -> ModuleTiming:
    """Return a module's timing from the file `path`, or make it."""
    try:
        return ModuleTiming.from_json(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        timing = module_timing(mapped_netlist(job))
        atomic_write_json(path, timing.to_json())
        return timing
