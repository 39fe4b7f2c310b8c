"""The study: what Optuna has proposed and what came out, in one file that several processes may share."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finn_flow.errors import UserError
from finn_flow.explore.evaluate import identity
from finn_flow.explore.space import DIRECTIONS, Space

JOURNAL = "study.log"
_OWNER, _CANDIDATE = "owner", "candidate"
RANDOM_FIRST = 10
"""Candidates that are drawn at random before results guide the choice."""
TRIES = 30
"""Proposals in a row that are known already, before candidates are counted out one by one."""

Keys = dict[str, str]


class Study:
    """The trials of one exploration.

    Parameters
    ----------
    out
        The exploration's folder.
    space
        What is explored.

    Raises
    ------
    UserError
        The folder holds an exploration of another space, or Optuna is not installed.
    """

    def __init__(self, out: Path, space: Space) -> None:
        optuna = _optuna()
        self.space = space
        self._trials = optuna.trial
        storage = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(
                str(out / JOURNAL), lock_obj=optuna.storages.journal.JournalFileOpenLock(str(out / JOURNAL))
            )
        )
        sampler = optuna.samplers.TPESampler(
            seed=space.seed + os.getpid() % 1000, n_startup_trials=RANDOM_FIRST, constant_liar=True
        )
        self.study = optuna.create_study(
            study_name="explore",
            storage=storage,
            sampler=sampler,
            directions=[DIRECTIONS[name] for name in space.objectives],
            load_if_exists=True,
        )

    def left_behind(self) -> list[tuple[int, Keys]]:
        """Return trials, by number, that a process of this machine began and that has ended since."""
        states = self._trials.TrialState
        found = []
        for trial in self.study.get_trials(deepcopy=False, states=(states.RUNNING,)):
            host, _, process = str(trial.user_attrs.get(_OWNER, "")).rpartition(":")
            if host == socket.gethostname() and not _alive(int(process)):
                found.append((trial.number, dict(trial.params)))
        return found

    def known(self) -> dict[str, Keys]:
        """Return what has been proposed so far, by anybody, by its candidate's identity."""
        trials = self.study.get_trials(deepcopy=False)
        return {trial.user_attrs[_CANDIDATE]: dict(trial.params) for trial in trials if _CANDIDATE in trial.user_attrs}

    def propose(self) -> tuple[int, Keys] | None:
        """Return a candidate that nobody has proposed, with its trial's number; None when there are enough."""
        known = self.known()
        if len(known) >= min(self.space.trials, self.space.size):
            return None
        for attempt in range(TRIES + self.space.size):
            if attempt >= TRIES:
                self._enqueue_unknown(known)
            trial = self.study.ask()
            keys = {choice.name: trial.suggest_categorical(choice.name, choice.keys) for choice in self.space.choices()}
            name = identity(self.space.candidate(keys))
            if name not in known:
                trial.set_user_attr(_OWNER, f"{socket.gethostname()}:{os.getpid()}")
                trial.set_user_attr(_CANDIDATE, name)
                return trial.number, keys
            self.study.tell(trial, state=self._trials.TrialState.PRUNED)
        return None

    def _enqueue_unknown(self, known: Mapping[str, Keys]) -> None:
        """Have the next proposal be the first candidate, counted through, that is not known."""
        choices = self.space.choices()
        for number in range(self.space.size):
            keys, rest = {}, number
            for choice in choices:
                rest, index = divmod(rest, len(choice.values))
                keys[choice.name] = choice.keys[index]
            if identity(self.space.candidate(keys)) not in known:
                self.study.enqueue_trial(keys)
                return

    def tell(self, number: int, result: Mapping[str, Any]) -> None:
        """Keep what came out of a trial."""
        states = self._trials.TrialState
        if "failed" in result:
            self.study.tell(number, state=states.FAIL, skip_if_finished=True)
        else:
            values = [float(result["figures"][name]) for name in self.space.objectives]
            self.study.tell(number, values, skip_if_finished=True)


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError:
        raise UserError("exploration needs Optuna and Dask: pip install 'dsode-flow[explore]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
