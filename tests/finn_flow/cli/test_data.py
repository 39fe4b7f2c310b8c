import json

from finn_flow.cli import main


def test_list_of_an_empty_cache(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path))
    assert main(["data", "list", "--json"]) == 0
    sets = json.loads(capsys.readouterr().out)["data_sets"]
    assert [entry["name"] for entry in sets] == ["mnist", "usps", "fashion-mnist"]
    assert {file["state"] for entry in sets for file in entry["files"]} == {"missing"}
    assert list(tmp_path.iterdir()) == []


def test_list_names_a_corrupt_file(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path))
    path = tmp_path / "data" / "usps" / "usps_resampled.mat"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    assert main(["data", "list"]) == 0
    printed = capsys.readouterr()
    assert "corrupt" in printed.out
    assert printed.err == f"corrupt: {path}; run `dsode data fetch usps` to replace it\n"


def test_fetch_of_what_is_there(usps, capsys):
    assert main(["data", "fetch", "usps", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["folders"]["usps"].endswith("data/usps")
    assert printed.err.startswith("usps: already in ")


def test_nothing_is_fetched_when_one_name_is_wrong(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path))
    assert main(["data", "fetch", "usps", "upss"]) == 2
    assert capsys.readouterr().err == "error: no data set is called upss; choose from mnist, usps, fashion-mnist\n"
    assert list(tmp_path.iterdir()) == []
