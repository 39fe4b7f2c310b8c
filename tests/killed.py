"""Killing a process at its file operations, each in turn."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.truncate")
_EXCHANGE = ("ctypes.dlsym", "renameat2")
_WRITING = os.O_WRONLY | os.O_RDWR


def killed_at_each_operation(
    action: Callable[[], object], watched: tuple[Path, ...] | None = None, others: int = 10
) -> Iterator[int]:
    """Carry out `action` in a child, killed before its first operation that changes files, then before its second...

    Parameters
    ----------
    action
        Has no fewer operations later than the first time, whatever the killed ones left.
    watched
        Of all operations, take those on these very paths, those after them, and `others`, spread evenly.

    Yields
    ------
    Iterator[int]
        After each child, how many operations it was allowed; at last, after the child that was not killed, all of them.
    """
    touched = _run(action, watched)
    count = len(touched)
    chosen = set(range(count))
    if watched is not None:
        near = {n for n in range(count) if touched[n] or touched[n - 1]}
        chosen = near | set(range(0, count, -(-count // others)))
    for allowed in sorted(chosen):
        assert _run(action, watched, allowed) == []
        yield allowed
    yield len(_run(action, watched))


def _run(action: Callable[[], object], watched: tuple[Path, ...] | None, allowed: int | None = None) -> list[bool]:
    """For each operation of a child whether it is on a watched path; nothing of a child that was killed."""
    paths = {str(path) for path in watched or ()}
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        touched: list[bool] = []

        def count(event: str, arguments: tuple[object, ...]) -> None:
            writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & _WRITING)
            exchanges = event == _EXCHANGE[0] and arguments[1] == _EXCHANGE[1]
            if event in _CHANGES or writes or exchanges:
                if len(touched) == allowed:
                    os.kill(os.getpid(), signal.SIGKILL)
                touched.append(exchanges or any(str(argument) in paths for argument in arguments))

        try:
            sys.addaudithook(count)
            action()
            os.write(write, json.dumps(touched).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == -signal.SIGKILL:
        return []
    found: list[bool] = json.loads(text)
    return found
