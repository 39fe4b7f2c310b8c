"""Making FINN importable and its RTL simulation usable without Vivado."""

import atexit
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

from finn_flow.files import check_writable_dir

_SETTINGS_FILE = "finn_settings.yaml"


def ensure_finn(build_dir: Path | None = None) -> None:
    """Give FINN its settings and a Verilator back end; call it before anything imports `finn.builder`.

    May be called again, and does nothing to what FINN's own command line or a real `finn_xsi` has set up.

    Parameters
    ----------
    build_dir
        Where FINN puts generated code; created. None: where it puts it already, else a temporary folder that is removed
        when the process ends.

    Raises
    ------
    UserError, FlowError
        `build_dir` cannot be written to.
    """
    import finn.util.settings as finn_settings
    import finn.xsi as finn_xsi

    from finn_flow.finn_adapter import xsi

    if finn_settings._SETTINGS is None:
        folder = check_writable_dir(build_dir) if build_dir is not None else _temporary_build_dir()
        folder = folder.absolute()
        # A settings file that does not exist: FINN would otherwise make a folder in the user's home to look for one.
        finn_settings._SETTINGS = finn_settings.FINNSettings.init(
            override_settings_path=folder / _SETTINGS_FILE, flow_config=folder / "-", finn_build_dir=str(folder)
        )
    elif build_dir is not None:
        finn_settings._SETTINGS.finn_build_dir = check_writable_dir(build_dir).absolute()
    for name in xsi.NAMES:
        if name not in vars(finn_xsi):
            setattr(finn_xsi, name, getattr(xsi, name))


def _temporary_build_dir() -> Path:
    """Return a new folder that this process removes when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="finn_build_"))
    atexit.register(partial(_remove, folder, os.getpid()))
    return folder


def _remove(folder: Path, owner: int) -> None:
    """Remove the folder, unless this is a forked child of the process that made it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
