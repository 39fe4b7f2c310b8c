"""Builds side by side."""

import json

import pytest

import dsode
from finn_flow.build_folder import BuildFolder
from finn_flow.cli import main
from finn_flow.errors import UserError
from finn_flow.estimates.network import estimate
from finn_flow.files import atomic_write_json
from tests.finn_flow.netlist.one_block import CLOCK_NS, PART, one_block


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    block, root = one_block(), tmp_path_factory.mktemp("compare")
    for name, clock, target in (("slow", 10.0, 100), ("fast", CLOCK_NS, 100)):
        folder = block.copy(root / name)
        atomic_write_json(BuildFolder(folder).estimates, estimate(block.sized, clock, "ZCU104", PART))
        settings = {"board": "ZCU104", "synth_clk_period_ns": clock, "target_fps": target, "steps": ["x"]}
        atomic_write_json(BuildFolder(folder).configuration, settings)
    return root / "slow", root / "fast"


def test_figures_and_different_settings(builds, capsys):
    comparison = dsode.compare(*builds)
    figures, settings = comparison.tables()
    rows = {row[0]: row[1:] for row in figures.rows}
    assert figures.columns == ("figure", "slow", "fast")
    assert rows["clock, MHz"] == (100.0, 200.0)
    assert rows["cycles per frame"][0] == rows["cycles per frame"][1]
    assert rows["frames per second"][1] == pytest.approx(2 * rows["frames per second"][0], abs=1)
    assert "slowest path, ns (estimate)" not in rows  # nobody knows it
    assert settings.rows == [("synth_clk_period_ns", "10.0", "5.0")]
    assert main(["compare", *map(str, builds), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["builds"]["fast"]["clock, MHz"] == 200.0


def test_equal_names_become_paths(builds):
    assert dsode.compare(builds[0], builds[0]).names == (str(builds[0]), str(builds[0]))


def test_bad_input(builds, tmp_path):
    with pytest.raises(UserError, match="name two builds or more"):
        dsode.compare(builds[0])
    with pytest.raises(UserError, match="holds no build"):
        dsode.compare(builds[0], tmp_path)
