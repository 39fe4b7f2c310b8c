"""What adapting on the board wins back: `python -m benchmarks.board_adaptation [--runs DIR] [--only NAME] [--json]`.

Networks of 4 bits that were trained on one set of digits alone (minutes; kept in DIR) meet another set, or their own
digits noisy, dark or hazy. For 16 to 2,048 pictures without labels: accuracy on other pictures before and after, mean
of three draws. All is computed with the driver's integers; for each change Brevitas's logits with the same statistics
are compared with them on every test image. `--plot FILE` draws the table; `--drift FILE` draws the accuracy over a
stream of pictures whose surroundings change, with `watch`'s statistics and without. Example:

    python -m benchmarks.board_adaptation --only "MNIST to USPS"
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.common.drift import BATCH, Batch, follow_stream
from benchmarks.common.source_networks import SourceNetwork, codes_of, source_network
from finn_flow.deployment.driver.adaptation import adapt
from finn_flow.deployment.driver.statistics import built_in
from finn_flow.errors import FlowError
from finn_flow.export.batch_norms import exchange_statistics
from finn_flow.export.network import make_golden

RUNS = Path("runs") / "board_adaptation"
COUNTS, DRAWS, TEST_IMAGES = (16, 64, 256, 2048), 3, 1000

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _noise(strength: float) -> Change:
    return lambda x, rng: np.clip(x + rng.normal(0, strength, x.shape), 0, 255).astype(np.uint8)


def _scaled(factor: float, offset: float = 0) -> Change:
    return lambda x, rng: np.clip(x * factor + offset, 0, 255).astype(np.uint8)


CORRUPTIONS: dict[str, Change] = {
    "noise, weak": _noise(30),
    "noise, strong": _noise(70),
    "dark, weak": _scaled(0.5),
    "dark, strong": _scaled(0.25),
    "haze, weak": _scaled(0.6, 60),
    "haze, strong": _scaled(0.35, 120),
}
PHASES: dict[str, Change | None] = {
    "MNIST": _scaled(1),
    "noisy": _noise(40),
    "MNIST again": _scaled(1),
    "darker": _scaled(0.25),
    "hazy": _scaled(0.6, 60),
    "inverted": _scaled(-1, 255),
    "USPS": None,
    "and back": _scaled(1),
}
DRIFT_IMAGES = 384
DIRECTIONS = {"MNIST to USPS": ("mnist", "usps"), "USPS to MNIST": ("usps", "mnist")}


@dataclass(frozen=True)
class Row:
    """Accuracy, 0 to 1, before, and after by number of pictures; how many changes the driver would refuse."""

    name: str
    before: float
    after: dict[int, float]
    refused: int
    compared: int


def measure(name: str, source: SourceNetwork, pool: np.ndarray, test: np.ndarray, truth: np.ndarray) -> Row:
    """Adapt to pictures of `pool` and count on `test`.

    Raises
    ------
    FlowError
        Brevitas gives other logits for some image.
    """
    network, old = source.network, built_in(source.network)
    before = float(np.mean(network.run(test, network.built_in())[0][:, 0] == truth))
    after: dict[int, float] = {}
    refused = compared = 0
    for count in COUNTS:
        right = []
        for draw in range(DRAWS):
            chosen = np.random.default_rng(draw).permutation(len(pool))[:count]
            found = adapt(network, pool[chosen], old, network.built_in())
            refused += found.objection is not None
            labels, values = network.run(test, found.estimate.parameters)
            right.append(float(np.mean(labels[:, 0] == truth)))
            if draw == 0:
                brevitas = copy.deepcopy(source.brevitas)
                exchange_statistics(brevitas, old, found.estimate.statistics)
                logits = make_golden(brevitas, test).logits
                if not np.array_equal(values * np.float32(network.scale), logits):
                    raise FlowError(f"{name}, {count} pictures: Brevitas gives other logits")
                compared += len(test)
        after[count] = float(np.mean(right))
    return Row(name, before, after, refused, compared)


def rows(runs: Path, only: str | None, console: Console) -> list[Row]:
    """Measure all rows, or those whose name begins with `only`."""
    found = []
    names = [*DIRECTIONS, *CORRUPTIONS]
    for name in names:
        if only is not None and not name.startswith(only):
            continue
        rng = np.random.default_rng(1)
        direction = DIRECTIONS.get(name, DIRECTIONS["MNIST to USPS"])
        source = source_network(*direction, runs, lambda line: console.print(line, highlight=False))
        domains = source.domains
        if name in DIRECTIONS:
            pool, split = codes_of(domains.target_images), domains.target_test
            chosen = rng.permutation(len(split))[:TEST_IMAGES]
            test, truth = codes_of(split.images[chosen]), split.labels[chosen].numpy()
        else:
            change, split = CORRUPTIONS[name], domains.source_test
            chosen = rng.permutation(len(split))
            images, labels = codes_of(split.images[chosen]), split.labels[chosen].numpy()
            test, truth = change(images[:TEST_IMAGES], rng), labels[:TEST_IMAGES]
            pool = change(images[TEST_IMAGES:], rng)
        found.append(measure(name, source, pool, test, truth))
        console.print(f"{name}: {found[-1].before:.1%} -> {found[-1].after}", highlight=False)
    return found


def plot(found: list[Row], path: Path) -> None:
    """Draw accuracy against the number of pictures."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for row in found:
        axes.plot(
            ["none", *map(str, row.after)], [100 * a for a in (row.before, *row.after.values())], "o-", label=row.name
        )
    axes.set_xlabel("pictures without labels")
    axes.set_ylabel("accuracy, %")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    figure.savefig(path)


def drift(runs: Path, console: Console) -> list[Batch]:
    """Let the network that knows MNIST meet changing surroundings and its own again."""
    source = source_network("mnist", "usps", runs, lambda line: console.print(line, highlight=False))
    rng = np.random.default_rng(2)
    own, target = source.domains.source_test, source.domains.target_test
    chosen = rng.permutation(len(own))
    images, truth = codes_of(own.images[chosen]), own.labels[chosen].numpy()
    usps = rng.permutation(len(target))[:DRIFT_IMAGES]
    phases = []
    for number, (name, change) in enumerate(PHASES.items()):
        part = slice(number * DRIFT_IMAGES, (number + 1) * DRIFT_IMAGES)
        if change is None:
            phases.append((name, codes_of(target.images[usps]), target.labels[usps].numpy()))
        else:
            phases.append((name, change(images[part], rng), truth[part]))
    return follow_stream(source.network, phases, lambda batch: console.print(str(batch), highlight=False))


def plot_drift(found: list[Batch], path: Path) -> None:
    """Draw accuracy over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    number = range(1, len(found) + 1)
    axes.plot(number, [100 * batch.fixed for batch in found], label="built-in statistics", color="tab:grey")
    axes.plot(number, [100 * batch.following for batch in found], label="watch", color="tab:blue")
    starts = [0] + [i for i in range(1, len(found)) if found[i].surroundings != found[i - 1].surroundings]
    for start in starts:
        axes.axvline(start + 0.5, color="black", alpha=0.3, linewidth=0.8)
        axes.text(start + 0.8, 103, found[start].surroundings, fontsize=8)
    axes.set_ylim(0, 110)
    axes.set_xlabel(f"batch of {BATCH} pictures")
    axes.set_ylabel("accuracy, %")
    axes.legend(loc="lower left")
    figure.savefig(path)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of the trainings")
    parser.add_argument("--only", metavar="NAME", help="rows whose name begins so")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the table, too")
    parser.add_argument("--drift", type=Path, metavar="FILE", help="draw a stream of changing surroundings instead")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=True)
    if options.drift:
        batches = drift(options.runs, console)
        plot_drift(batches, options.drift)
        print(json.dumps([asdict(batch) for batch in batches], indent=2))
        return
    found = rows(options.runs, options.only, console)
    if options.plot:
        plot(found, options.plot)
    if options.json:
        print(json.dumps([asdict(row) for row in found], indent=2))
        return
    table = Table("surroundings", "before", *(f"{count} pictures" for count in COUNTS), "refused", "equal to Brevitas")
    for row in found:
        figures = (f"{100 * value:.1f}" for value in (row.before, *row.after.values()))
        table.add_row(row.name, *figures, f"{row.refused} of {len(COUNTS) * DRAWS}", f"{row.compared} images")
    Console().print(table)


if __name__ == "__main__":
    main()
