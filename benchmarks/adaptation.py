"""Accuracy after domain adaptation: `python -m benchmarks.adaptation [--runs DIR] [--train] [--only ...] [--json]`.

Prints, for each direction and network, the accuracy on all test images of the target: float trained on the source
alone, float adapted, quantised adapted, with mean and standard deviation over the seeds that were run. The figures
come from the files that trainings leave in DIR; a row without any says so. The last epoch counts: nothing is chosen
by labels of the target. `--train` runs what is missing, one training after the other, all rows' first seed first;
stopped, the same command goes on. Example:

    python -m benchmarks.adaptation --train --only mnist_usps dsODENet
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.common.adaptation_runs import BITS, DIRECTIONS, NETWORKS, ROWS, SEEDS, Result, Row, read_result
from brevitas_models.parameters import count_parameters
from brevitas_models.training import train
from brevitas_models.training.results import METRICS_FILE

RUNS = Path("runs") / "adaptation"
NOT_RUN = "not run"


def train_missing(rows: list[Row], runs: Path, console: Console) -> None:
    """Run each row's trainings that have no result yet."""
    for seed in SEEDS:
        for row in rows:
            folder = row.folder(runs, seed)
            if not (folder / METRICS_FILE).is_file():
                console.print(f"{folder}: training")
                train(row.config(seed), folder, report=lambda line: console.print(f"  {line}", highlight=False))


def print_table(results: dict[Row, Result | None], console: Console) -> None:
    """Print the results as a table."""
    table = Table(
        "source → target",
        "network",
        "bits",
        "parameters",
        "source only",
        "adapted, float",
        "adapted, quantised",
        "loss, points",
        "seeds",
        "hours",
        title="Accuracy on the target's test images, %, mean ± standard deviation over seeds",
    )
    for row, result in results.items():
        config = row.config(0)
        head = (
            f"{config.source.name} → {config.target.name}",
            row.network,
            str(row.bits),
            f"{count_parameters(config.network).total:,}",
        )
        if result is None:
            table.add_row(*head, NOT_RUN, NOT_RUN, NOT_RUN, "", "0", "")
        else:
            accuracies = [str(spread) for spread in result.accuracy.values()]
            table.add_row(*head, *accuracies, str(result.loss), str(len(result.seeds)), f"{result.hours:.1f}")
    console.print(table)
    for row, result in results.items():
        for warning in result.warnings if result else ():
            console.print(f"{row.direction}, {row.network}, {row.bits} bits: {warning}")


def main() -> None:
    """Train, if asked, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=RUNS, metavar="DIR", help=f"the trainings' folder ({RUNS})")
    parser.add_argument("--train", action="store_true", help="run the trainings that have no result yet")
    names = [*DIRECTIONS, *NETWORKS, *(str(bits) for bits in BITS)]
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"rows with all of: {', '.join(names)}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()
    wanted = set(arguments.only or ())
    rows = [row for row in ROWS if wanted <= {row.direction, row.network, str(row.bits)}]
    console = Console(width=150, stderr=arguments.json)
    if arguments.train:
        train_missing(rows, arguments.runs, console)
    results = {row: read_result(row, arguments.runs) for row in rows}
    if arguments.json:
        listed = [{**asdict(row), "result": result and asdict(result)} for row, result in results.items()]
        print(json.dumps({"rows": listed}, indent=2))
        return
    print_table(results, console)


if __name__ == "__main__":
    main()
