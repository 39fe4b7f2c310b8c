"""Packages as `dsode package` makes them where Vivado has built the bitfile."""

import json
import shutil
from pathlib import Path

from finn_flow.deployment.driver.manifest import BITFILE, FILE, sha256


def with_bitfile(package: Path, bitfile: Path, target: Path) -> Path:
    """Copy a package to `target`, put the bitfile of a simulated board into it, and return it."""
    shutil.copytree(package, target)
    (target / "bitfile").mkdir()
    for suffix in (".bit", ".hwh"):
        shutil.copyfile(bitfile.with_suffix(suffix), (target / BITFILE).with_suffix(suffix))
    manifest = json.loads((target / FILE).read_text())
    manifest["files"][BITFILE] = sha256(bitfile)
    (target / FILE).write_text(json.dumps(manifest))
    return target
