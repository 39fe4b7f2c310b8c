"""Build time against the iteration count: `python -m benchmarks.compile_time [--json]`.

Exports untrained networks that differ only in their iteration count, builds each up to the estimates
(build_configs/zcu104_estimates.json) and prints seconds, nodes and the ratio to 2 iterations. Rolling first keeps the
ratio near one: only reading the exported graph takes longer.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx
from rich.console import Console
from rich.table import Table

from brevitas_models.config import NetworkConfig
from brevitas_models.untrained import untrained_network
from finn_flow.build import build
from finn_flow.export.qonnx import to_qonnx

CONFIG = Path(__file__).parent.parent / "build_configs" / "zcu104_estimates.json"
ITERATIONS = (2, 8, 32, 64)
REPEATS = 3


@dataclass(frozen=True)
class BuildTime:
    """Nodes of one network's graph as exported and as rolled, and the median build time with its ratio to the first."""

    iterations: int
    exported_nodes: int
    rolled_nodes: int
    seconds: float
    ratio: float


def nodes(model: Path) -> int:
    """Nodes of a graph, loop bodies included."""
    graph = onnx.load(str(model)).graph
    bodies = [attribute.g for node in graph.node for attribute in node.attribute if attribute.name == "body"]
    return len(graph.node) + sum(len(body.node) for body in bodies)


def measure() -> Iterator[BuildTime]:
    """Build all networks; the repeats of all sizes are interleaved, so that drift hits all alike."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds: dict[int, list[float]] = {count: [] for count in ITERATIONS}
        for count in ITERATIONS:
            config = NetworkConfig(in_channels=1, image_size=[14, 14], channels=[16, 32, 64], iterations=[count] * 3)
            to_qonnx(untrained_network(config, seed=0)).save(str(folder / f"{count}.onnx"))
        for repeat in range(REPEATS + 1):
            for count in ITERATIONS:
                start = time.perf_counter()
                build(CONFIG, folder / f"{count}.onnx", folder / f"build_{count}", lambda line: None)
                if repeat:  # the first round warms up imports and caches
                    seconds[count].append(time.perf_counter() - start)
        base = statistics.median(seconds[ITERATIONS[0]])
        for count in ITERATIONS:
            median = statistics.median(seconds[count])
            rolled = folder / f"build_{count}" / "intermediate_models" / "rolled.onnx"
            yield BuildTime(count, nodes(folder / f"{count}.onnx"), nodes(rolled), median, median / base)


def main() -> None:
    """Measure and print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    options = parser.parse_args()
    rows = list(measure())
    if options.json:
        print(json.dumps({"builds": [asdict(row) for row in rows]}, indent=2))
        return
    columns = ("iterations", "exported nodes", "rolled nodes", "build seconds", f"ratio to {ITERATIONS[0]}")
    table = Table(*columns, title="Build time")
    for row in rows:
        counts = [str(count) for count in (row.iterations, row.exported_nodes, row.rolled_nodes)]
        table.add_row(*counts, f"{row.seconds:.2f}", f"{row.ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
