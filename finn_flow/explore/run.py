"""The exploration itself: proposals out to the workers, results back into the study, until there are enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finn_flow.errors import UserError
from finn_flow.explore.cluster import cluster
from finn_flow.explore.deepen import deepen
from finn_flow.explore.evaluate import RESULT, evaluate
from finn_flow.explore.exploration import SPACE, Exploration, open_exploration
from finn_flow.explore.page import write_page
from finn_flow.explore.space import Space
from finn_flow.explore.study import Keys, Study
from finn_flow.files import atomic_write_json, check_writable_dir, locked
from finn_flow.json_files import read_json_object_if_there
from finn_flow.progress import Progress, task, unheard


def explore(
    space: Space,
    out: Path,
    workers: int = 2,
    scheduler: str | None = None,
    slurm: bool = False,
    deepen_front: bool = True,
    progress: Progress = unheard,
) -> Exploration:
    """Explore a space, or go on with it, and return what was found.

    A candidate whose worker dies is evaluated again by another; one whose exploration died, by the next one.
    Several explorations of one folder share the work.

    Parameters
    ----------
    workers, scheduler, slurm
        As for `cluster`.
    deepen_front
        Whether the front is built to the netlist, simulated, synthesised and reported on at the end.

    Raises
    ------
    UserError
        `out` holds an exploration of another space, or something is not installed.
    FlowError
        The scheduler does not answer.
    """
    check_writable_dir(out)
    with locked(out / ".lock"):
        known = read_json_object_if_there(out / SPACE)
        # More trials of the same space go on with it.
        if known is not None and {**known, "trials": 0} != {**space.model_dump(), "trials": 0}:
            raise UserError(f"{out} holds an exploration of another space; choose another folder")
        atomic_write_json(out / SPACE, space.model_dump())
    study = Study(out, space)
    with cluster(workers, scheduler, slurm, out / ".workers") as client, task("exploring", "candidates") as work:
        _run(study, space, out, client, work, progress)
        found = open_exploration(out)
        if deepen_front:
            _deepen(found, client, progress)
    write_page(found)
    return found


def _deepen(found: Exploration, client: Any, progress: Progress) -> None:
    """Have the front built to the end."""
    from distributed import as_completed

    place = str(found.folder.absolute())
    candidates = [found.results[name]["candidate"] for name in found.front]
    progress(f"building, simulating and synthesising the front, {len(candidates)} candidates")
    with task("deepening the front", "candidates") as work:
        futures = [client.submit(deepen, place, candidate, pure=False) for candidate in candidates]
        for done, (_, result) in enumerate(as_completed(futures, with_results=True), start=1):
            work.advance(done, len(futures))
            if "failed" in result:
                progress(f"warning: {result['failed']}")


def _run(study: Study, space: Space, out: Path, client: Any, work: Any, progress: Progress) -> None:
    from distributed import as_completed

    place = str(out.absolute())

    def submit(number: int, keys: Keys) -> Any:
        future = client.submit(evaluate, place, space.candidate(keys), key=f"candidate-{number}", pure=False)
        running[future.key] = number
        return future

    running: dict[str, int] = {}
    wanted = min(space.trials, space.size)
    queue = as_completed([submit(*trial) for trial in study.left_behind()], with_results=True)
    free = max(1, sum(client.nthreads().values())) + 1 - len(running)  # one waits, so that no worker does
    done = 0
    while True:
        while free > 0 and (proposed := study.propose()) is not None:
            queue.add(submit(*proposed))
            free -= 1
        if not running:
            return
        future, result = next(queue)
        study.tell(running.pop(future.key), result)
        done, free = done + 1, free + 1
        if "failed" in result:
            progress(f"cannot be built: {result['failed']}")
        work.advance(len(list((out / "candidates").glob(f"*/{RESULT}"))), wanted)
