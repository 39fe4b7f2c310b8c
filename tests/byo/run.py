"""Prints what becomes of each case: `python -m tests.byo.run [NAME...]`."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from pathlib import Path

import torch

from finn_flow.build import build
from finn_flow.errors import FlowError, UserError
from finn_flow.simulation.check import check_accelerator
from tests.byo.cases import CASES, Case
from tests.byo.export import export_case

CONFIG = Path(__file__).parents[2] / "build_configs" / "zcu104.json"


def build_case(case: Case, folder: Path, last_step: str = "", **changes: object) -> None:
    """Export and build a case in `folder`: `model.onnx`, `golden.npz`, `build/`.

    Parameters
    ----------
    last_step
        The last step of the build; "" for all of the configuration's.
    changes
        Keys of the configuration and their values.

    Raises
    ------
    UserError, FlowError
        As `finn_flow.build.build`.
    """
    torch.manual_seed(0)  # the weights do not depend on what ran before
    exported = export_case(case.make(), folder, **case.export)
    config = json.loads(CONFIG.read_text())
    names = [step.rsplit(".", 1)[-1] for step in config["steps"]]
    end = names.index(last_step) + 1 if last_step else len(names)
    pairs = zip(config["steps"][:end], names, strict=False)
    config |= {"steps": [step for step, name in pairs if name not in case.without_steps], **changes}
    (folder / "config.json").write_text(json.dumps(config))
    build(folder / "config.json", exported.model, folder / "build", lambda line: None)


def outcome(case: Case) -> str:
    """Return "exact", or the message of what went wrong."""
    with tempfile.TemporaryDirectory(prefix="byo_") as folder:
        try:
            build_case(case, Path(folder))
            result = check_accelerator(Path(folder) / "build", Path(folder) / "golden.npz")
        except (UserError, FlowError) as error:
            return f"{type(error).__name__}: {str(error).removeprefix(f'{folder}/model.onnx: ')}"
        except Exception:
            return traceback.format_exc(limit=-2)
        if result.mismatches:
            return f"WRONG: {result.mismatches} of {result.frames} frames differ: {result.first_mismatch}"
        return "exact"


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        print(f"{name}: {outcome(CASES[name])}", flush=True)
