"""The build steps that fold."""

import json
import re
from pathlib import Path

import pytest
from finn.util.exception import FINNUserError

from finn_flow.estimates.boards import board_resources
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.folding.config import extract_folding
from finn_flow.folding.target import fold_for_share
from finn_flow.steps.hardware import step_fold, step_fold_for_board, step_fold_for_estimates
from tests.finn_flow.folding.small_networks import cycles_per_frame, small_hardware

BODY_NODE = "ODELoop_rtl_0_MVAU_rtl_0"


def config(folder: Path, target_fps: int | None, folding: dict | None = None):
    ensure_finn()
    from finn.builder.build_dataflow_config import DataflowBuildConfig

    path = None
    if folding is not None:
        path = folder / "folding.json"
        path.write_text(json.dumps(folding))
    return DataflowBuildConfig(
        output_dir=str(folder),
        synth_clk_period_ns=5.0,
        board="ZCU104",
        target_fps=target_fps,
        folding_config_file=path,
        generate_outputs=[],
    )


def written(folder: Path) -> dict:
    return json.loads((folder / "report" / "folding_config.json").read_text())


def test_for_a_rate(tmp_path):
    model = step_fold(small_hardware(), config(tmp_path, 1_000_000))
    assert cycles_per_frame(model) <= 200
    folding = extract_folding(model)
    assert written(tmp_path).items() <= folding.items()


def test_the_config_overrides(tmp_path):
    model = step_fold(small_hardware(), config(tmp_path, 1_000_000, {BODY_NODE: {"PE": 1, "SIMD": 2}}))
    assert cycles_per_frame(model) == 4 * 4 * 4 * 2 * 3
    assert written(tmp_path)[BODY_NODE]["SIMD"] == 2


def test_by_the_config_alone(tmp_path):
    step_fold(small_hardware(), config(tmp_path, None, {BODY_NODE: {"PE": 4}}))
    folding = written(tmp_path)
    assert folding[BODY_NODE]["PE"] == 4
    assert folding["MVAU_rtl_0"]["PE"] == folding["MVAU_rtl_0"]["SIMD"] == 1


def test_an_infeasible_rate_is_the_users_mistake(tmp_path):
    message = (
        r"target_fps=10000000 allows 20 cycles per frame: \w+ takes \d+ cycles per frame at its most parallel.*; "
        r"the best that is feasible is [\d,]+ frames/s \(\d+ cycles per frame\), limited by \w+"
    )
    with pytest.raises(FINNUserError, match=message):
        step_fold(small_hardware(), config(tmp_path, 10_000_000))


def test_for_the_board(tmp_path):
    model = step_fold_for_board(small_hardware(), config(tmp_path, 1))
    assert cycles_per_frame(model) == fold_for_share(small_hardware()).cycles_per_frame


def test_a_rate_above_the_boards_best(tmp_path):
    message = "target_fps=10000000 allows 20 cycles per frame: it is not within 70% of the board; the best that is"
    with pytest.raises(FINNUserError, match=message):
        step_fold_for_board(small_hardware(), config(tmp_path, 10_000_000))


def test_estimates_go_beyond_what_can_be_reached(tmp_path):
    with pytest.raises(FINNUserError, match="at its most parallel"):
        step_fold(small_hardware(), config(tmp_path, 100_000_000))
    model = step_fold_for_estimates(small_hardware(), config(tmp_path, 100_000_000))
    # With a body per iteration, the window of the first convolution is the slowest: a padded image and two cycles.
    assert cycles_per_frame(model) == 6 * 6 + 2
    assert written(tmp_path).items() <= extract_folding(model).items()


def test_estimates_go_beyond_the_board(tmp_path, monkeypatch):
    step_fold(small_hardware(), config(tmp_path, 1_000_000))
    plenty = written(tmp_path)
    monkeypatch.setattr("finn_flow.folding.target.board_resources", lambda board: {**board_resources(board), "LUT": 10})
    with pytest.raises(FINNUserError, match="LUT of 10 allowed on the ZCU104; no folding fits at all"):
        step_fold(small_hardware(), config(tmp_path, 1_000_000))
    model = step_fold_for_estimates(small_hardware(), config(tmp_path, 1_000_000))
    assert cycles_per_frame(model) <= 200
    # The same nodes, but where LUTs are that dear, DSPs do more of the work.
    dear = written(tmp_path)
    assert {_place(name) for name in plenty} == {_place(name) for name in dear}
    assert _in_dsps(dear) > _in_dsps(plenty)


def _in_dsps(folding: dict) -> int:
    """How many nodes are there for DSPs' sake, or use them."""
    return sum("Cascade" in name or node.get("resType") == "dsp" for name, node in folding.items())


def _place(name: str) -> str:
    """The name of the node whose place a node can take."""
    return re.sub("ConstantMatrix|CascadeMVAU", "MVAU", name).replace("Requantisation", "Thresholding")
