"""The deployment package: what is in it, that it is reproducible, and what is refused."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import finn_flow
from finn_flow.cli import main
from finn_flow.deployment.driver.errors import InputError
from finn_flow.deployment.driver.manifest import Manifest, sha256
from finn_flow.deployment.hardware.dma import build_id
from finn_flow.deployment.package import make_package
from finn_flow.deployment.samples import load_samples
from finn_flow.errors import UserError
from tests.killed import killed_at_each_operation


@pytest.fixture
def fresh(tiny, tmp_path):
    """Return the build folder without a package."""
    return tiny.copy(tmp_path / "fresh")


def test_contents(package, tiny):
    assert {path.name for path in package.iterdir()} == {
        "README.md",
        "accelerator.ipynb",
        "driver",
        "hardware",
        "manifest.json",
        "samples",
    }
    manifest = json.loads((package / "manifest.json").read_text())
    assert manifest["version"] == finn_flow.__version__
    assert manifest["versions"] == tiny.netlist.versions
    assert (manifest["board"], manifest["clock_mhz"]) == ("ZCU104", 200.0)
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == files - {"manifest.json"}
    assert all(sha256(package / name) == value for name, value in manifest["files"].items())
    assert not [name for name in files if "__pycache__" in name]


def test_samples_are_the_golden_ones(package, tiny):
    content = json.loads((package / "samples" / "expected.json").read_text())
    images = [np.asarray(Image.open(package / "samples" / sample["file"])) for sample in content["samples"]]
    np.testing.assert_array_equal(np.stack(images)[..., np.newaxis], tiny.golden.inputs)
    assert [sample["expected"] for sample in content["samples"]] == tiny.golden.logits.argmax(1).reshape(-1, 1).tolist()


def test_the_same_build_gives_the_same_bytes(fresh, tmp_path):
    first = make_package(fresh).archive.read_bytes()
    moved = tmp_path / "elsewhere" / "other name"
    shutil.copytree(fresh, moved)
    shutil.rmtree(moved / "deploy")
    assert make_package(moved).archive.read_bytes() == first
    assert make_package(moved).archive.read_bytes() == first  # replaces what is there


def test_the_archive_is_the_folder(build):
    with zipfile.ZipFile(build / "deploy.zip") as archive:
        for name in archive.namelist():
            assert archive.read(name) == (build / name).read_bytes()
        names = set(archive.namelist())
    assert names == {path.relative_to(build).as_posix() for path in (build / "deploy").rglob("*") if path.is_file()}


def test_a_bitfile_is_taken_and_the_sources_are_not(fresh):
    (fresh / "bitfile").mkdir()
    (fresh / "bitfile" / "finn-accel.bit").write_bytes(b"bits")
    with pytest.raises(UserError, match=r"finn-accel\.hwh is missing although the other"):
        make_package(fresh)
    (fresh / "bitfile" / "finn-accel.hwh").write_bytes(b"hand-off")
    (fresh / "driver" / "runtime_weights").mkdir(parents=True)
    (fresh / "driver" / "runtime_weights" / "0_0_x.dat").write_text("1\n")
    package = make_package(fresh)
    assert package.has_bitfile
    assert not (package.folder / "hardware").exists()
    assert "bitfile/finn-accel.bit" in Manifest.load(package.folder).files
    settings = json.loads((package.folder / "driver" / "settings.json").read_text())["driver_information"]
    assert settings["runtime_weights"] is True
    assert (package.folder / "driver" / "runtime_weights" / "0_0_x.dat").is_file()
    assert "It is in `bitfile/`." in (package.folder / "README.md").read_text()


def test_true_classes_names_and_accuracy_come_from_the_export(fresh, tiny):
    truth = tiny.golden.logits.argmax(1)
    truth[:10] += 1
    replace(tiny.golden, labels=truth).save(fresh / "golden.npz")
    names = [f"class {number}" for number in range(10)]
    (fresh / "golden.json").write_text(json.dumps({"dataset": "usps", "class_names": names, "accuracy": 0.97}))
    manifest = Manifest.load(make_package(fresh, samples=20).folder)
    assert (manifest.sample_accuracy, manifest.accuracy) == (0.5, 0.97)
    assert manifest.class_names == tuple(names)
    assert (fresh / "deploy" / "README.md").read_text().count("usps") == 1


def test_without_golden_results_the_hardware_graph_gives_them(fresh, tiny):
    (fresh / "golden.npz").unlink()
    samples = load_samples(tiny.netlist, None, 3)
    assert samples.images.shape == (3, 8, 6, 1)
    assert make_package(fresh).samples == 16


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ("{", "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        ("[]", "not the notes"),
        ('{"class_names": ["a"]}', "1 class names for 10 classes"),
        ('{"class_names": "abcdefghij"}', "`class_names` must be a list of texts"),
        ('{"accuracy": NaN}', "`accuracy` must be 0 to 1, not nan"),
    ],
)
def test_bad_notes(fresh, notes, message):
    (fresh / "golden.json").write_text(notes)
    with pytest.raises(UserError, match=message):
        make_package(fresh)
    assert not list(fresh.glob("*deploy*"))


def test_accelerators_that_the_driver_cannot_run(tiny):
    top = tiny.netlist.modules[tiny.netlist.top]
    name = top.inputs[0]
    streams = {**top.streams, name: replace(top.streams[name], datatype="INT8")}
    netlist = replace(tiny.netlist, modules={**tiny.netlist.modules, top.name: replace(top, streams=streams)})
    with pytest.raises(UserError, match="8-bit images with 1 or 3 channels, not INT8 with 1"):
        load_samples(netlist, None, None)


def test_build_numbers_tell_accelerators_apart(tiny, fresh):
    from finn_flow.netlist.netlist import Netlist

    netlist = Netlist.load(fresh / "rtl")
    assert build_id(netlist) == build_id(tiny.netlist) != 0
    path = fresh / "rtl" / netlist.data_files[0]
    path.write_text(path.read_text() + "0\n")
    assert build_id(netlist) != build_id(tiny.netlist)


def test_command(fresh, capsys):
    assert main(["package", str(fresh), "--samples", "4", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["samples"], result["has_bitfile"]) == (4, False)
    assert main(["package", str(fresh / "deploy")]) == 2
    assert "holds no netlist" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', '{"format": 1}'])
def test_a_damaged_manifest(tmp_path: Path, content: str):
    with pytest.raises(InputError, match="is no deployment package"):
        Manifest.load(tmp_path)
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=r"manifest\.json .*copy the package again"):
        Manifest.load(tmp_path)


def test_killed_at_any_moment_it_leaves_a_whole_package_and_no_other_archive(fresh):
    make_package(fresh, samples=4)
    seen = set()
    watched = fresh / "deploy", fresh / "deploy.zip"
    for _ in killed_at_each_operation(lambda: make_package(fresh, samples=6), watched):
        manifest = Manifest.load(fresh / "deploy")
        names = {path.relative_to(fresh).as_posix() for path in (fresh / "deploy").rglob("*") if path.is_file()}
        assert manifest.check_files() == len(names) - 1
        samples = len(json.loads((fresh / "deploy" / "samples" / "expected.json").read_text())["samples"])
        seen.add(samples)
        if (fresh / "deploy.zip").exists():
            with zipfile.ZipFile(fresh / "deploy.zip") as archive:
                assert set(archive.namelist()) == names
                assert archive.read("deploy/manifest.json") == (fresh / "deploy" / "manifest.json").read_bytes()
        if samples == 6:
            make_package(fresh, samples=4)
    assert seen == {4, 6}
    make_package(fresh)
    assert not list(fresh.glob(".deploy*"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("files", {"../outside": "0" * 64}),
        ("files", {"/etc/passwd": "0" * 64}),
        ("files", {"samples/../../x": "0" * 64}),
        ("files", {"": "0" * 64}),
        ("class_names", [1]),
        ("clock_mhz", 0),
        ("clock_mhz", float("nan")),
        ("clock_mhz", 10**400),
    ],
)
def test_a_manifest_that_names_what_is_outside_or_impossible(package, tmp_path, key, value):
    manifest = json.loads((package / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, key: value}))
    with pytest.raises(InputError, match=r"manifest\.json is damaged .*copy the package again"):
        Manifest.load(tmp_path)
