"""A candidate of the front, built to the netlist, simulated, synthesised and reported on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finn_flow.api.building import build
from finn_flow.api.reporting import report
from finn_flow.api.simulating import simulate
from finn_flow.errors import FlowError, UserError
from finn_flow.explore.evaluate import build_settings, candidate_folder, network_model
from finn_flow.files import atomic_write_json, locked
from finn_flow.json_files import read_json_object_if_there
from finn_flow.synthesis.report import synthesise_build

RESULT = "deepened.json"
BUILD = "netlist"
CONFIGURATION = "zcu104"
FRAMES = 8


def deepen(out: str, candidate: dict[str, Any]) -> dict[str, Any]:
    """Build a candidate to the netlist, and return what simulation and synthesis found; kept in its folder.

    Returns
    -------
    dict[str, Any]
        `simulation`, `synthesis` (shares of the board) and `page`; or `failed`.
    """
    folder = candidate_folder(Path(out), candidate)
    with locked(folder / ".lock"):
        result = read_json_object_if_there(folder / RESULT)
        if result is None:
            try:
                result = _deepened(Path(out), folder, candidate)
            except (UserError, FlowError) as error:
                result = {"failed": f"{folder.name}: {error}"}
            atomic_write_json(folder / RESULT, result)
    return result


def _deepened(out: Path, folder: Path, candidate: dict[str, Any]) -> dict[str, Any]:
    model, _ = network_model(out, candidate)
    settings = build_settings({**candidate["build"], "config": CONFIGURATION})
    atomic_write_json(folder / "netlist.json", settings)
    built = build(folder / "netlist.json", model, folder / BUILD)
    simulation = simulate(built, frames=FRAMES)
    if not simulation.exact:
        raise FlowError(f"the netlist differs: {simulation.lines()[0]}")
    synthesis = synthesise_build(built.folder, processes=1)
    page = report(built).page
    return {
        "simulation": simulation.to_json(),
        "synthesis": synthesis.board_shares(),
        "page": str(page.relative_to(folder.parents[1])),
    }
