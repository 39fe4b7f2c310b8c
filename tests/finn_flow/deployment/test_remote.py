"""Packages over ssh: only what changed, in place at once, validated on the simulated board behind a real ssh server."""

import json
import os
import sys
from pathlib import Path

import pytest

from finn_flow.cli import main
from finn_flow.deployment.driver.manifest import BITFILE, FILE, sha256
from finn_flow.deployment.remote import RemoteBoard
from finn_flow.deployment.simulated_board import SimulatedBoard
from finn_flow.deployment.simulated_board.board import PYNQ_FOLDER
from finn_flow.errors import FlowError, UserError
from tests.finn_flow.deployment.bitfiles import with_bitfile
from tests.finn_flow.deployment.ssh_server import ssh_server

USER = "xilinx@127.0.0.1"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return a server on whose board `pynq` is the stand-in."""
    folder = tmp_path_factory.mktemp("ssh")
    python = folder / "bin" / "python3"
    python.parent.mkdir()
    # By a link Python would not find the packages of this environment.
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    environment = {"PYTHONPATH": str(PYNQ_FOLDER), "PATH": f"{python.parent}:{os.environ['PATH']}"}
    with ssh_server(folder, environment) as running:
        yield running


@pytest.fixture
def built(build, package, tiny, build_id, tmp_path):
    """Return a build whose package has the bitfile of a simulated board that is switched on."""
    folder = tmp_path / "build"
    with SimulatedBoard(netlist=tiny.netlist, build_id=build_id) as board:
        with_bitfile(package, board.bitfile, folder / "deploy")
        yield folder


def deploy(server, built: Path, capfd) -> tuple[int, dict]:
    status = main(["deploy", USER, str(built), "--json", "-q", *server.options])
    printed = capfd.readouterr()
    assert printed.out, printed.err
    return status, json.loads(printed.out)


def test_deploy_validate_change_and_classify(server, built, capfd):
    status, first = deploy(server, built, capfd)
    assert status == 0
    assert first["validation"]["mismatches"] == []
    assert first["validation"]["images"] > 0
    assert first["files"]["kept"] == 0
    assert set(first["versions"]) == {"python", "numpy", "PIL", "pynq"}
    there = server.home / first["folder"]
    assert sha256(there / BITFILE) == sha256(built / "deploy" / BITFILE)

    (there / "left").write_text("by somebody")
    readme = built / "deploy" / "README.md"
    readme.write_text(readme.read_text() + "changed\n")
    manifest = json.loads((built / "deploy" / FILE).read_text())
    manifest["files"]["README.md"] = sha256(readme)
    (built / "deploy" / FILE).write_text(json.dumps(manifest))
    status, second = deploy(server, built, capfd)
    assert status == 0
    assert second["files"]["sent"] == 2
    assert (there / "README.md").read_text().endswith("changed\n")
    assert not (there / "left").exists()

    picture = next((there / "samples").glob("*.png"))
    arguments = ["remote", *server.options, USER, "classify", str(picture), "--json"]
    assert main(arguments) == 0
    assert json.loads(capfd.readouterr().out)["images"][0]["name"].endswith(picture.name)


def test_a_wrong_integer_is_status_1(server, built, capfd):
    expected = built / "deploy" / "samples" / "expected.json"
    content = json.loads(expected.read_text())
    content["samples"][0]["expected"][0] = (content["samples"][0]["expected"][0] + 1) % 10
    expected.write_text(json.dumps(content))
    manifest = json.loads((built / "deploy" / FILE).read_text())
    if "samples/expected.json" in manifest["files"]:
        manifest["files"]["samples/expected.json"] = sha256(expected)
        (built / "deploy" / FILE).write_text(json.dumps(manifest))
    status, result = deploy(server, built, capfd)
    assert status == 1
    assert len(result["validation"]["mismatches"]) == 1


def test_a_board_without_pynq_is_told(server, built, capfd):
    before, server.environment = server.environment, {**server.environment, "PYTHONPATH": ""}
    try:
        assert main(["deploy", USER, str(built), "-q", *server.options]) == 1
    finally:
        server.environment = before
    error = capfd.readouterr().err
    assert "cannot run the driver: ModuleNotFoundError: No module named 'pynq'" in error
    assert error.count("\n") == 1


def test_no_connection_is_one_line(built, capfd):
    assert main(["deploy", USER, str(built), "-q", "--port", "1"]) == 1
    error = capfd.readouterr().err
    assert error.startswith(f"error: {USER}: no connection: ")
    assert error.count("\n") == 1


def test_without_a_bitfile_nothing_is_sent(build, tmp_path):
    board = RemoteBoard(USER)
    with pytest.raises(UserError, match="holds no bitfile"):
        board.copy(build / "deploy")
    with pytest.raises(UserError, match="holds no package"):
        board.copy(tmp_path)


@pytest.mark.parametrize("target", ["-oProxyCommand=x", "a b", "", "x;y", "user@"])
def test_targets_that_are_no_boards(target):
    with pytest.raises(UserError, match="is not a board"):
        RemoteBoard(target)


def test_what_is_damaged_on_the_way_stays_out(server, built, monkeypatch):
    from finn_flow.deployment import remote

    options = tuple(part for part in server.options if not part.startswith("--"))
    pairs = ["-p", options[0], "-i", options[1], *(part for pair in options[2:] for part in ("-o", pair))]
    board = RemoteBoard(USER, "damaged", tuple(pairs))
    honest = remote._archive

    def damaged(package, wanted, missing):
        return honest(package, {**wanted, BITFILE: "0" * 64}, missing)

    monkeypatch.setattr(remote, "_archive", damaged)
    with pytest.raises(FlowError, match=f"damaged on the way: {BITFILE}"):
        board.copy(built / "deploy")
    assert not (server.home / "damaged").exists()
