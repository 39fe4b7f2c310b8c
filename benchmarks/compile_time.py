"""Build time against the iteration count: `python -m benchmarks.compile_time`.

Exports untrained networks that differ only in their iteration count, builds each up to the estimates
(build_configs/zcu104_estimates.json) and prints seconds, nodes and the ratio to 2 iterations. Rolling first keeps the
ratio near one: only reading the exported graph takes longer.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import onnx
from rich.console import Console
from rich.table import Table

from brevitas_models.config import NetworkConfig
from brevitas_models.qonnx import to_qonnx
from brevitas_models.untrained import untrained_network
from finn_flow.build import build

CONFIG = Path(__file__).parent.parent / "build_configs" / "zcu104_estimates.json"
ITERATIONS = (2, 8, 32, 64)
REPEATS = 3


def nodes(model: Path) -> int:
    """Nodes of a graph, loop bodies included."""
    graph = onnx.load(str(model)).graph
    bodies = [attribute.g for node in graph.node for attribute in node.attribute if attribute.name == "body"]
    return len(graph.node) + sum(len(body.node) for body in bodies)


def main() -> None:
    """Measure and print the table; the repeats of all sizes are interleaved, so that drift hits all alike."""
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
        columns = ("iterations", "exported nodes", "rolled nodes", "build seconds", "ratio to 2")
        table = Table(*columns, title="Build time")
        base = statistics.median(seconds[2])
        for count in ITERATIONS:
            median = statistics.median(seconds[count])
            rolled = folder / f"build_{count}" / "intermediate_models" / "rolled.onnx"
            exported = str(nodes(folder / f"{count}.onnx"))
            table.add_row(str(count), exported, str(nodes(rolled)), f"{median:.2f}", f"{median / base:.2f}")
        Console().print(table)


if __name__ == "__main__":
    main()
