"""FINN's RTL library as the netlist has it, for FINN's own steps."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from finn.util.settings import FINNSettings, get_settings

from finn_flow.files import check_writable_dir, disk_errors
from finn_flow.finn_adapter.rtllib_patches import patch_for_verilator

VARIABLE = "FINN_RTLLIB"
"""By this variable FINN's Tcl scripts find the library."""


def use_patched_library(folder: Path) -> None:
    """Copy FINN's RTL library to `folder`, patched, and let FINN take it from there for the rest of this process.

    With the patches Vivado gets what has been simulated; one of them corrects results.

    Raises
    ------
    UserError, FlowError
        `folder` cannot be written; FINN's library has changed, so that a patch does not fit.
    """
    folder = check_writable_dir(folder).absolute()
    with disk_errors(folder):
        shutil.copytree(FINNSettings.model_fields["finn_rtllib"].default, folder, dirs_exist_ok=True)
        for path in folder.rglob("*.sv"):
            path.write_text(patch_for_verilator(path.name, path.read_text()))
    get_settings().finn_rtllib = str(folder)
    os.environ[VARIABLE] = str(folder)
