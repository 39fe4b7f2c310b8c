"""One candidate: trained if it is to be, exported, built as far as the estimates. What is done is not done again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from brevitas_models.config import preset
from finn_flow.api.building import Build, build
from finn_flow.api.exporting import export
from finn_flow.api.training import run_training
from finn_flow.configurations import BUILDS, TRAININGS, configuration
from finn_flow.errors import FlowError, UserError
from finn_flow.estimates.latency import estimated_latency_cycles
from finn_flow.files import atomic_write_json, locked
from finn_flow.json_files import read_json_object, read_json_object_if_there
from finn_flow.progress import unheard

RESULT = "result.json"
DEFAULT_BUILD = "zcu104_estimates"
MODEL = "model.onnx"


def identity(value: Any) -> str:
    """Return a short name for values of JSON, equal for equal ones."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def candidate_folder(out: Path, candidate: dict[str, Any]) -> Path:
    """Return the folder of a candidate."""
    return out / "candidates" / identity(candidate)


def evaluate(out: str, candidate: dict[str, Any]) -> dict[str, Any]:
    """Evaluate a candidate and return its result, which is kept in its folder.

    Several processes, also of several machines with the folder in common, may evaluate the same candidate or train the
    same network: one does it, the others wait.

    Returns
    -------
    dict[str, Any]
        `candidate`; `figures` (`finn_flow.explore.space.DIRECTIONS`; accuracy only with a training); or `failed`, why
        it cannot be built.
    """
    folder = candidate_folder(Path(out), candidate)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock"):
        result = read_json_object_if_there(folder / RESULT)
        if result is None:
            try:
                result = {"candidate": candidate, "figures": _figures(Path(out), folder, candidate)}
            except (UserError, FlowError) as error:
                result = {"candidate": candidate, "failed": str(error)}
            atomic_write_json(folder / RESULT, result)
    return result


def _figures(out: Path, folder: Path, candidate: dict[str, Any]) -> dict[str, float]:
    model, accuracy = network_model(out, candidate)
    settings = build_settings(candidate["build"])
    atomic_write_json(folder / "build.json", settings)
    built = build(folder / "build.json", model, folder / "build")
    return figures(built, accuracy)


def figures(built: Build, accuracy: float | None) -> dict[str, float]:
    """Return what a candidate is judged by, from its estimates."""
    found: dict[str, float] = {
        "frames_per_second": built.frames_per_second,
        "latency_cycles": estimated_latency_cycles(built.estimates),
        **{name: row["estimated"] for name, row in built.estimates["resources"].items()},
    }
    return found if accuracy is None else {"accuracy": accuracy, **found}


def build_settings(given: dict[str, Any], default: str = DEFAULT_BUILD) -> dict[str, Any]:
    """Return the whole build configuration of a candidate."""
    own = {key: value for key, value in given.items() if key != "config"}
    return {**read_json_object(configuration(given.get("config", default), BUILDS)), **own}


def whole_training(given: dict[str, Any], network: dict[str, Any]) -> dict[str, Any]:
    """Return the whole training configuration of a candidate: its own keys over those of the one that it names."""
    base = read_json_object(configuration(given.get("config", "quick"), TRAININGS))
    own = {key: value for key, value in given.items() if key != "config"}
    inherited = base["network"] if isinstance(base["network"], dict) else preset(base["network"]).model_dump()
    return {**base, **own, "network": {**inherited, **network}}


def network_model(out: Path, candidate: dict[str, Any]) -> tuple[Path, float | None]:
    """Return the model of a candidate's network, and its accuracy if it is trained; candidates share networks."""
    network, training = candidate["network"], candidate["training"]
    if training is not None:
        training = whole_training(training, network)
    folder = out / "networks" / identity(training or network)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock"):
        accuracy = None
        if training is not None:
            accuracy = _trained(training, folder)
        if not (folder / MODEL).is_file():
            if training is not None:
                export(folder, folder / MODEL)
            else:
                atomic_write_json(folder / "network.json", network)
                export(None, folder / MODEL, untrained=str(folder / "network.json"))
    return folder / MODEL, accuracy


def _trained(training: dict[str, Any], folder: Path) -> float:
    """Train, or go on, and return the accuracy of the quantised network on the target."""
    from brevitas_models.config import parse_config
    from brevitas_models.training.config import TrainingConfig

    settings = parse_config(TrainingConfig, training, "`training`")
    metrics = read_json_object_if_there(folder / "metrics.json")
    if metrics is None:
        metrics = run_training(settings, folder, unheard)
    return float(metrics["accuracy"]["quantised"]["target"])
