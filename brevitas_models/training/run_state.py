"""Where a training stands, on disk after every epoch, so that it can be taken up again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brevitas_models.checkpoint import read_file, write_file
from brevitas_models.training.config import TrainingConfig
from finn_flow.errors import UserError

STATE_FILE = "state.pt"
KIND = "dsode-training-state"
_KEYS: dict[str, type | tuple[type, ...]] = {
    "config": dict,
    "phase": int,
    "epoch": int,
    "network": dict,
    "optimizer": dict,
    "teacher": dict,
    "history": list,
    "accuracy": dict,
    "scores": dict,
    "seconds": float,
    "cpu_seconds": float,
}
_LATER = {"confusion"}
"""Keys that states of earlier versions do not have."""


@dataclass
class RunState:
    """Everything that the rest of a training depends on.

    There is no random state in it: each epoch draws from generators seeded by (seed, phase, epoch).

    Parameters
    ----------
    config
        Of the training, as JSON values.
    phase
        Index into `PHASES` of the running phase; their number when all is done.
    epoch
        Epochs done in the running phase.
    network, optimizer
        State dicts; those of the phase before when `epoch` is 0.
    teacher
        State dict of the teacher; empty without one, and when `epoch` is 0.
    history
        One entry per epoch done, for the curves.
    accuracy
        What each finished phase reached.
    confusion
        Counts [true class][predicted class] of the target's test images after each finished phase.
    scores
        `UnlabelledScores` of each finished phase on training images of the target.
    seconds, cpu_seconds
        Spent so far.
    """

    config: dict[str, Any]
    phase: int = 0
    epoch: int = 0
    network: dict[str, Any] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    teacher: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    accuracy: dict[str, dict[str, float]] = field(default_factory=dict)
    confusion: dict[str, list[list[int]]] = field(default_factory=dict)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def save(self, folder: Path) -> None:
        """Write the state to its file in `folder` in one step."""
        content = {name: getattr(self, name) for name in (*_KEYS, *_LATER)}
        write_file(folder / STATE_FILE, KIND, content)


def load_run_state(folder: Path, config: TrainingConfig) -> RunState:
    """Return the state of the training in `folder`, or a fresh one where there is none.

    Raises
    ------
    UserError
        The file is damaged or something else, or belongs to a training with another config.
    """
    wanted = config.model_dump()
    path = folder / STATE_FILE
    if not path.exists():
        return RunState(wanted)
    content = read_file(path, KIND, _KEYS, "delete it to train from the start")
    different = [key for key in {**wanted, **content["config"]} if wanted.get(key) != content["config"].get(key)]
    if different:
        raise UserError(
            f"{folder} holds a training with another config (different: {', '.join(different)}); "
            "choose another folder, or delete this one"
        )
    return RunState(**{name: content[name] for name in (*_KEYS, *_LATER) if name in content})
