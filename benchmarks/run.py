"""All benchmarks, or those named: `python -m benchmarks.run [NAME ...]`.

Every benchmark is a module of this folder that prints what it measures when it is run; what it is for stands in its
first line. All are run, each in a process of its own, also after one has failed. Simulations and syntheses are cached
by content: the first run of all takes an hour or so, on many cores less.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
BENCHMARKS = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in ("__init__", "run"))


def main(names: list[str]) -> int:
    """Run the benchmarks in order; returns 1 if one failed, 2 for a name that does not exist."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"error: no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    failed = []
    for name in names or BENCHMARKS:
        print(f"== python -m benchmarks.{name}", flush=True)
        started = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=False).returncode:
            failed.append(name)
        print(f"== {time.monotonic() - started:.0f} s", flush=True)
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
