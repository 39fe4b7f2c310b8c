"""A build configuration of ours in AMD's own FINN, whose configurations cannot name steps by dotted path.

In FINN's container, with this project on `PYTHONPATH`::

    python -m finn_flow.finn_adapter.amd_finn build_configs/zcu104.json model.onnx build

Not run in AMD's FINN yet; the way that a configuration takes is tested in finn-plus.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from finn_flow.json_files import read_json_object


def steps_of(names: Sequence[str]) -> list[str | Callable[..., Any]]:
    """Return the steps, those with dotted paths as functions, which FINN's builder takes as they are."""
    steps: list[str | Callable[..., Any]] = []
    for name in names:
        module, _, function = name.rpartition(".")
        steps.append(getattr(importlib.import_module(module), function) if module else name)
    return steps


def main(config: Path, model: Path, out: Path) -> int:
    """Run FINN's builder and return its status."""
    settings = read_json_object(config)
    names = settings.pop("steps")
    from finn.builder.build_dataflow import build_dataflow_cfg
    from finn.builder.build_dataflow_config import DataflowBuildConfig

    build = DataflowBuildConfig.from_json(json.dumps({**settings, "output_dir": str(out)}))
    build.steps = steps_of(names)
    return int(build_dataflow_cfg(str(model), build))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python -m finn_flow.finn_adapter.amd_finn CONFIG MODEL OUT")
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:])))
