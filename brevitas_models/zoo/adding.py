"""Putting the network of a finished training into the zoo."""

from __future__ import annotations

import re
from pathlib import Path

from brevitas_models.checkpoint import CHECKPOINT_FILE, KIND, load_checkpoint, read_checkpoint, write_file
from brevitas_models.config import read_json
from brevitas_models.zoo.entries import CONFIG_FILE, LARGEST_BYTES, METRICS_FILE, ROOT
from finn_flow.errors import UserError
from finn_flow.files import atomic_write_json

_CONTENT = ("network", "state", "class_names", "details")


def add_to_zoo(run: Path, name: str, root: Path = ROOT) -> Path:
    """Write the checkpoint of the training in `run`, its metrics and its config to `root/name` and return that.

    Whatever is there under that name is replaced.

    Raises
    ------
    UserError
        No finished training, a name that is none, or a checkpoint of more than `LARGEST_BYTES`.
    """
    if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name):
        raise UserError(f"the name must be of small letters, digits and single hyphens, not {name!r}")
    content = read_checkpoint(run)
    load_checkpoint(run)  # refuses weights that do not fit or are not finite
    metrics = read_json(run / METRICS_FILE)
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CHECKPOINT_FILE
    write_file(path, KIND, {key: content[key] for key in _CONTENT})
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        path.unlink()
        raise UserError(f"{run}: its checkpoint takes {size:,} bytes, more than the {LARGEST_BYTES:,} that ship")
    atomic_write_json(folder / METRICS_FILE, metrics)
    atomic_write_json(folder / CONFIG_FILE, content["details"]["training"])
    return folder
