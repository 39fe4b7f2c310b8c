"""The process that runs Yosys: forks one child per job and says how each of them ended.

Yosys ends or crashes the process on errors, so it never runs in the caller's. The primitives' library is read once and
inherited by every child. Run as `python -m finn_flow.synthesis.worker JOBS PROCESSES PARENT`.

JOBS is a JSON file with a list of `{"folder": ..., "top": ..., "sources": [...], "include": ..., "parameters": {...},
"defines": {...}}`. For each job that ends a line `index status` comes on standard output, the status being 0 for
success or what `os.waitstatus_to_exitcode` gives; the folder then holds the netlist and Yosys's log.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pyosys import libyosys

from finn_flow.synthesis import primitives
from finn_flow.synthesis.script import LIBRARY, LOG, commands

_SET_PARENT_DEATH_SIGNAL = 1


def main() -> None:
    """Do all jobs."""
    _end_with_parent(int(sys.argv[3]))
    jobs = json.loads(Path(sys.argv[1]).read_text())
    processes = int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    design = libyosys.Design()
    for line in LIBRARY:
        libyosys.Pass.call(design, line)
    running: dict[int, int] = {}
    own = os.getpid()

    def reap() -> None:
        child, status = os.wait()
        print(running.pop(child), os.waitstatus_to_exitcode(status), file=answers)

    for index, job in enumerate(jobs):
        while len(running) >= processes:
            reap()
        child = os.fork()
        if child == 0:
            _run(design, job, own)
        running[child] = index
    while running:
        reap()
    # Yosys's own cleaning up takes as long as a small synthesis.
    answers.flush()
    os._exit(0)


def _end_with_parent(parent: int) -> None:
    """Let the system end this process when process `parent` ends in whatever way (Linux only)."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _run(design: Any, job: dict[str, Any], parent: int) -> None:
    """Synthesise in this child process, which ends here."""
    status = 1
    _end_with_parent(parent)
    try:
        os.chdir(job["folder"])
        log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        Path(primitives.FILE).write_text(primitives.declarations(Path(source).read_text() for source in job["sources"]))
        sources = [primitives.FILE, *job["sources"]]
        for command in commands(job["top"], sources, job["include"], job["parameters"], job["defines"]):
            libyosys.Pass.call(design, command)
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
