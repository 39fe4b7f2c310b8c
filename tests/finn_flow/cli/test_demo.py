"""`dsode demo`: what it says without its configs, and its last part; the whole demo is `make demo`."""

import json

import numpy as np
import pytest

from finn_flow.cli.demo_run import BOARD_PICTURES, run_on_the_board
from finn_flow.cli.group import main
from finn_flow.errors import FlowError
from tests.finn_flow.netlist.one_block import FRAMES, one_block


def test_without_its_configs_it_says_what_to_do(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "out"), "--configs", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path / 'train' / 'quick.json'}: no such file; run the demo in the project's")
    assert not (tmp_path / "out").exists()


def test_help_has_an_example(capsys):
    assert main(["demo", "--help"]) == 0
    assert "Example: dsode demo --out demo" in capsys.readouterr().out


def test_the_driver_classifies_usps_on_the_simulated_board(usps, tmp_path):
    one_block().copy(tmp_path / "build")
    result = run_on_the_board(tmp_path)
    assert result["archive"] == str(tmp_path / "build" / "deploy.zip")
    assert (result["samples"], result["mismatches"], result["pictures"]) == (FRAMES, 0, BOARD_PICTURES)
    assert 0 <= result["right"] <= BOARD_PICTURES
    manifest = json.loads((tmp_path / "build" / "deploy" / "manifest.json").read_text())
    assert len(manifest["files"]) + 1 == result["files"]


def test_a_wrong_integer_ends_the_demo(usps, tmp_path, capfd):
    golden = one_block().copy(tmp_path / "build") / "golden.npz"
    with np.load(golden) as arrays:
        changed = dict(arrays)
    changed["logits"][7] = -changed["logits"][7]
    changed["predicted"] = changed["logits"].argmax(axis=1)
    np.savez(golden, **changed)
    with pytest.raises(FlowError, match="the driver's validate failed with status 1 on the simulated board"):
        run_on_the_board(tmp_path)
