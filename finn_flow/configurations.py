"""Configurations that ship, by name: `zcu104` to build, `quick` to train."""

from __future__ import annotations

from pathlib import Path

from finn_flow.errors import UserError

SHIPPED = Path(__file__).parents[1] / "build_configs"
BUILDS, TRAININGS = SHIPPED, SHIPPED / "train"


def shipped(folder: Path) -> list[str]:
    """Return the names of the configurations that ship in `folder`, sorted."""
    return sorted(path.stem for path in folder.glob("*.json"))


def configuration(given: str | Path, folder: Path) -> Path:
    """Return the path of a configuration: a file of this path, or the shipped one of this name.

    Parameters
    ----------
    folder
        `BUILDS` or `TRAININGS`.

    Raises
    ------
    UserError
        Neither; the message lists the names.
    """
    path = Path(given)
    if path.exists():
        return path
    if str(given) not in shipped(folder):
        raise UserError(f"{given}: neither a file nor one of {', '.join(shipped(folder))}")
    return folder / f"{given}.json"
