import json

from finn_flow.cli import main


def test_table(capsys):
    assert main(["parameters"]) == 0
    printed = capsys.readouterr().out
    for expected in ("dsodenet-small", "120,672", "17,392", "85.6 %", "54.2 % to 79.8 %"):
        assert expected in printed


def test_json(capsys):
    assert main(["parameters", "odenet-tiny", "build_configs/train/quick.json", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [network["name"] for network in found["networks"]] == ["odenet-tiny", "build_configs/train/quick.json"]
    assert found["networks"][0]["odenet"]["total"] == 1940
    assert found["networks"][0]["dsodenet"]["total"] == 736
    assert found["paper_reduction_percent_middle"] == [54.2, 79.8]


def test_neither_file_nor_preset(capsys):
    assert main(["parameters", "resnet"]) == 2
    assert capsys.readouterr().err.startswith("error: resnet: neither a JSON file nor a network preset")
