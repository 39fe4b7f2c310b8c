"""`dsode demo`: what it says without its configs; the demo itself is `make demo`."""

from finn_flow.cli.group import main


def test_without_its_configs_it_says_what_to_do(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "out"), "--configs", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path / 'train' / 'quick.json'}: no such file; run the demo in the project's")
    assert not (tmp_path / "out").exists()


def test_help_has_an_example(capsys):
    assert main(["demo", "--help"]) == 0
    assert "Example: dsode demo --out demo" in capsys.readouterr().out
