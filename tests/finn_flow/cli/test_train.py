import json

import pytest

from finn_flow.cli import main
from tests.brevitas_models.training.synthetic import use_textures, write_config


def test_a_training_from_the_command_line(monkeypatch, tmp_path, capsys):
    use_textures(monkeypatch)
    config = write_config(tmp_path / "c.json", steps_per_epoch=1, float_epochs=1, quantised_epochs=1)
    assert main(["train", str(config), "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr()
    for expected in ("usps (target)", "float, source only", "float, adapted", "quantised, adapted"):
        assert expected in printed.out
    assert "quantised 1/1: target" in printed.err

    assert main(["train", str(config), "--out", str(tmp_path / "run"), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["accuracy"]) == {"source_only", "float", "quantised"}


def test_interrupt(monkeypatch, tmp_path, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("brevitas_models.training.train", interrupted)
    config = write_config(tmp_path / "c.json")
    assert main(["train", str(config), "--out", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err
    assert "the same command goes on from there" in error
    assert error.endswith("error: interrupted\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"epochs": 3}, "unknown key `epochs`"), ({"network": {"weight_bits": 99}}, "`network.weight_bits`")],
)
def test_bad_configs(tmp_path, capsys, changes, message):
    config = write_config(tmp_path / "c.json", **changes)
    assert main(["train", str(config), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_data_that_are_not_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path / "empty"))
    config = write_config(tmp_path / "c.json")
    assert main(["train", str(config), "--out", str(tmp_path / "run")]) == 2
    assert "dsode data fetch mnist" in capsys.readouterr().err
