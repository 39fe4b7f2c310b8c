"""All benchmarks, or those named: `python -m benchmarks.run [NAME ...]`.

Every benchmark is a module of this folder that prints what it measures when it is run.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

BENCHMARKS = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in ("run", "__init__"))


def main(names: list[str]) -> int:
    """Run the benchmarks in order; returns 2 for a name that does not exist."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"error: no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(f"== python -m benchmarks.{name}", flush=True)
        sys.argv = [name]
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
