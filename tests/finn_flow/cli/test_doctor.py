import json

from finn_flow.cli import main


def test_json_is_one_object(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert {check["name"] for check in found["checks"]} >= {"Python", "packages", "Verilator", "Vivado", "cache", "GPU"}
    assert {part["name"]: part["works"] for part in found["abilities"]}["train, export"] is True


def test_tables(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "On this machine" in printed
    assert "simulate in Verilator" in printed


def test_status_when_something_is_lacking(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
