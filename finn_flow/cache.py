"""Where downloads and expensive results are kept: the one module that reads the cache's environment variables."""

import os
from pathlib import Path

import platformdirs

from finn_flow.files import check_writable_dir

ENVIRONMENT_VARIABLE = "DSODE_CACHE"


def cache_dir() -> Path:
    """The cache's root: `$DSODE_CACHE` when set and not empty, else the user's cache (`$XDG_CACHE_HOME/dsode`).

    The folder need not exist yet.
    """
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_cache_dir("dsode"))


def cache_subdir(name: str) -> Path:
    """The cache's subfolder `name` ("data", "verilator", "synthesis"), created and proven to be writable.

    Raises:
        UserError, FlowError: as `finn_flow.files.check_writable_dir`.
    """
    return check_writable_dir(cache_dir() / name)
