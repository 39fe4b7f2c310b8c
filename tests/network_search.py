"""A search for networks that the compiler gets wrong or dies on: `python -m tests.network_search --count 300`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build import build
from finn_flow.build_folder import BuildFolder
from finn_flow.errors import FlowError, UserError
from finn_flow.simulation.check import check_accelerator
from tests.finn_flow.transformations.random_networks import networks
from tests.places import ROOT

CONFIG = ROOT / "build_configs" / "zcu104.json"
SIZING_STEP = "step_size_fifos"
ROLLING_STEP = "step_roll_ode_blocks"
LABEL_STEP = "step_select_labels"


@dataclass
class Findings:
    """What became of the networks.

    Parameters
    ----------
    exact
        Networks whose hardware graph, as folded and as it goes into the netlist, is exact; `simulated` of them were
        simulated as well, whole.
    undecided
        Of these, networks with frames in which their own float32 rounding decides.
    refused
        Messages, without the names in them, and how often.
    bad
        Outcomes of networks that are wrong or died inside, with the number of each.
    """

    exact: int = 0
    simulated: int = 0
    undecided: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    bad: dict[int, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """All networks so far."""
        return self.exact + sum(self.refused.values()) + len(self.bad)

    def to_json(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {**vars(self), "networks": self.count, "refused": dict(self.refused)}


def try_network(model: ModelWrapper, findings: Findings, simulate: bool, labels: bool) -> None:
    """Build a network and note what becomes of it; FIFOs are sized only of those that are simulated."""
    with tempfile.TemporaryDirectory(prefix="network_") as name:
        folder = Path(name)
        model.save(str(folder / "model.onnx"))
        (folder / "config.json").write_text(json.dumps(_configuration(model, simulate, labels)))
        try:
            build(folder / "config.json", folder / "model.onnx", folder / "build", lambda line: None)
            proof = json.loads(BuildFolder(folder / "build").proof.read_text())
            if set(proof["frames"]) != {"integers", "hardware graph"}:
                raise FlowError(f"not all forms were compared: {proof['frames']}")
            if simulate:
                result = check_accelerator(folder / "build", frames=4)
                if result.mismatches:
                    raise FlowError(f"{result.mismatches} frames differ in Verilator: {result.first_mismatch}")
        except UserError as error:
            findings.refused[_without_names(str(error).removeprefix(f"{folder / 'model.onnx'}: "))] += 1
            return
        except Exception as error:
            text = str(error) if isinstance(error, FlowError) else traceback.format_exc(limit=-3)
            findings.bad[findings.count] = text.replace(name, "")
            return
    findings.exact += 1
    findings.simulated += simulate
    findings.undecided += bool(proof["undecided_frames"])


def search(count: int, start: int, every: int = 0, progress: bool = False) -> Findings:
    """Try `count` networks that Hypothesis draws from `start`; every so many-th is simulated (0: none)."""
    findings = Findings()

    @seed(start)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(networks())
    def one(model: ModelWrapper) -> None:
        number = findings.count
        try_network(model, findings, bool(every) and number % every == 0, number % 2 == 0)
        if progress:
            latest = f"; {findings.bad[number]}" if number in findings.bad else ""
            print(f"{findings.count} of {count}: {findings.exact} exact{latest}", file=sys.stderr, flush=True)

    one()
    return findings


def _configuration(model: ModelWrapper, simulate: bool, labels: bool) -> dict[str, object]:
    """Return zcu104.json without the steps that this network is built without."""
    config: dict[str, object] = json.loads(CONFIG.read_text())
    names = [step.rsplit(".", 1)[-1] for step in config["steps"]]  # type: ignore[attr-defined]
    left_out = set() if labels else {LABEL_STEP}
    if not simulate:
        left_out.add(SIZING_STEP)
    weights = [node.input[1] for node in model.graph.node if node.op_type == "Conv"]
    if len(set(weights)) == len(weights):
        left_out.add(ROLLING_STEP)
    pairs = zip(config["steps"], names, strict=True)  # type: ignore[call-overload]
    config["steps"] = [step for step, name in pairs if name not in left_out]
    return config


def _without_names(message: str) -> str:
    """Messages with what differs between networks left out."""
    words = (word if not any(c.isdigit() for c in word) else "…" for word in message.split())
    return " ".join(words)


def main(arguments: list[str] | None = None) -> int:
    """Search, and print what was found; 1 if a network is wrong or died."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.network_search",
        description=__doc__,
        epilog="example: python -m tests.network_search --count 300 --simulate-every 20",
    )
    parser.add_argument("--count", type=int, default=300, help="networks (default 300)")
    parser.add_argument("--seed", type=int, default=0, help="of Hypothesis (default 0)")
    parser.add_argument("--simulate-every", type=int, default=20, metavar="N", help="simulate every Nth (default 20)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    findings = search(options.count, options.seed, options.simulate_every, progress=True)
    if options.json:
        print(json.dumps(findings.to_json(), indent=2))
    else:
        print(f"{findings.count} networks: {findings.exact} exact, of these {findings.simulated} in Verilator as well")
        print(f"float32 rounding of the model decides in some frames of {findings.undecided}")
        for message, times in findings.refused.most_common():
            print(f"refused, {times} times: {message}")
        for number, outcome in findings.bad.items():
            print(f"network {number}: {outcome}")
    return int(bool(findings.bad))


if __name__ == "__main__":
    sys.exit(main())
