"""The zip on a board: unpacked into an empty folder, with the driver's dependencies and nothing else."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from finn_flow.cli import main
from finn_flow.deployment.package import make_package
from finn_flow.deployment.simulated_board.board import PYNQ_FOLDER

DEPENDENCIES = ("numpy", "PIL")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory) -> Path:
    """Return a folder with NumPy, Pillow and the simulated PYNQ; with `python -S` there is nothing else."""
    folder = tmp_path_factory.mktemp("libraries")
    for name in DEPENDENCIES:
        spec = importlib.util.find_spec(name)
        found = Path(spec.origin).parent
        for path in (found, *found.parent.glob(f"{'pillow' if name == 'PIL' else name}.libs")):
            (folder / path.name).symlink_to(path)
    (folder / "pynq").symlink_to(PYNQ_FOLDER / "pynq")
    return folder


@pytest.fixture
def unpacked(build, tmp_path) -> Path:
    with zipfile.ZipFile(build / "deploy.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / "deploy"


def heed_interrupts() -> None:
    """A shell starts commands in the background with interrupts ignored, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def start(boards, libraries, unpacked, tmp_path):
    """Starts `python3 -m driver` as a user would on the board."""
    board = boards()

    def run(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-S", "-m", "driver", *arguments]
        command += ["--bitfile", str(board.bitfile), "--timeout", "300", "--lock-file", str(tmp_path / "lock")]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(libraries)}
        return subprocess.Popen(
            command,
            cwd=unpacked,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_interrupts,
        )

    return run


@pytest.fixture
def driver(start):
    """Runs the driver to its end; returns (status, standard output, standard error)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        process = start(*arguments)
        out, err = process.communicate()
        return process.returncode, out, err

    return run


def test_nothing_else_is_there(libraries, unpacked):
    """Neither this project nor what it depends on."""
    code = (
        "import importlib.util as u, numpy, PIL, driver\n"
        "print([name for name in ('finn_flow', 'custom_ops', 'torch', 'finn', 'qonnx', 'onnx', 'click', 'scipy')"
        " if u.find_spec(name)])"
    )
    environment = {"PYTHONPATH": str(libraries)}
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=unpacked, env=environment, stdout=subprocess.PIPE)
    assert done.stdout == b"[]\n"


def test_validate(driver, unpacked):
    status, out, err = driver("validate", "--json")
    assert status == 0, err
    result = json.loads(out)
    assert (result["ok"], result["images"], result["mismatches"]) == (True, 40, [])
    path = unpacked / "samples" / "expected.json"
    content = json.loads(path.read_text())
    content["samples"][3]["expected"] = [(content["samples"][3]["expected"][0] + 1) % 10]
    path.write_text(json.dumps(content))
    status, out, err = driver("validate")
    assert (status, out) == (2, "")
    assert "expected.json has changed since the package was made" in err
    manifest = json.loads((unpacked / "manifest.json").read_text())
    del manifest["files"]["samples/expected.json"]
    (unpacked / "manifest.json").write_text(json.dumps(manifest))
    status, out, err = driver("validate")
    assert (status, err) == (1, "")
    assert "0003.png: " in out
    assert out.endswith("FAILED: 40 images\n")


def test_validate_a_labelled_data_set(driver, unpacked, digits):
    images, expected = digits
    labels = expected[:, 0].copy()
    labels[0] = (labels[0] + 1) % 10
    np.savez(unpacked / "x.npz", images=images, labels=labels)
    status, out, err = driver("validate", "--data", "x.npz", "--expect", str(63 / 64))
    assert (status, out) == (0, "accuracy 98.44 %, expected 98.44 %\npassed: 64 images\n"), err
    assert driver("validate", "--data", "x.npz", "--expect", "1")[0] == 1
    assert "say what to expect" in driver("validate", "--data", "x.npz")[2]


def test_benchmark(driver):
    status, out, err = driver("benchmark", "--frames", "16", "--latency-frames", "3", "--batches", "1,7,16", "--json")
    assert status == 0, err
    result = json.loads(out)
    assert [(row["batch"], row["frames"]) for row in result["throughput"]] == [(1, 16), (7, 14), (16, 16)]
    for row in result["throughput"]:
        assert sum(row["shares"].values()) == pytest.approx(1)
        assert row["frames_per_second"] > 0
    assert 0 < result["latency_ms"]["min"] <= result["latency_ms"]["median"] <= result["latency_ms"]["p99"]
    assert result["mean_power_w"] is None
    assert "batch 7: " in err
    status, out, _ = driver("benchmark", "--frames", "4", "--latency-frames", "1", "--batches", "2")
    assert status == 0
    assert "power: not measured on this board" in out


def test_classify(driver, unpacked):
    expected = json.loads((unpacked / "samples" / "expected.json").read_text())["samples"]
    status, out, _ = driver("classify", "samples", "--json")
    assert status == 0
    assert [image["classes"] for image in json.loads(out)["images"]] == [sample["expected"] for sample in expected]
    status, out, _ = driver("classify", "samples/0000.png")
    assert (status, out) == (0, f"samples/0000.png: {expected[0]['expected'][0]}\n")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("classify", "nothing"), 2, "error: nothing: no such file or folder"),
        (("classify", "driver"), 2, "driver holds no images"),
        (("classify", "samples", "--batch-size", "0"), 2, "batch_size must be at least 1"),
        (("benchmark", "--batches", "1,9999"), 2, "batch sizes must be 1 to 256, not 9999"),
        (("benchmark", "--frames", "0"), 2, "must be at least 1"),
        (("validate", "--expect", "1"), 2, "--expect goes with --data"),
        ((), 2, "COMMAND"),
    ],
)
def test_bad_input(driver, arguments, status, message):
    found, out, err = driver(*arguments)
    assert (found, out) == (status, "")
    assert message in err
    assert "Traceback" not in err


def test_an_interrupt_and_a_second_process(start, driver, tmp_path):
    """While one process works, a second is refused; the first can be interrupted, and the next one works."""
    first = start("benchmark", "--frames", "1000000", "--batches", "8")
    lock, deadline = tmp_path / "lock", time.monotonic() + 60
    while not (lock.is_file() and lock.read_text() == f"{first.pid}\n"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    status, _, err = driver("classify", "samples/0000.png")
    assert (status, err.strip()) == (
        1,
        f"error: the accelerator is in use by process {first.pid}; wait for it to end, or end it",
    )
    first.send_signal(signal.SIGINT)
    _, err = first.communicate()
    assert first.returncode == 1
    assert err.splitlines()[-1] == "error: interrupted"
    assert "Traceback" not in err
    assert driver("validate")[0] == 0


def test_a_reader_that_has_seen_enough(start):
    process = start("classify", "samples")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0


def test_the_command_that_brings_its_own_board(build, tmp_path, capfd):
    assert main(["board", "--stall", "0.3", str(build), "validate"]) == 0
    assert capfd.readouterr().out == "passed: 40 images\n"
    assert main(["board", str(tmp_path), "validate"]) == 2
    assert "holds no package; make one with `dsode package" in capfd.readouterr().err
    assert main(["board", "--stall", "1", str(build), "validate"]) == 2


def test_the_accuracy_that_the_export_recorded(tiny, digits, tmp_path, capfd):
    """A data set is held against the package's own accuracy when nothing else is said."""
    images, expected = digits
    labels = expected[:, 0].copy()
    labels[:8] = (labels[:8] + 1) % 10
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    build = tiny.copy(tmp_path / "build")
    for accuracy, status, last in ((56 / 64, 0, "passed"), (57 / 64, 1, "FAILED")):
        (build / "golden.json").write_text(json.dumps({"dataset": "mnist", "accuracy": accuracy}))
        make_package(build)
        assert main(["board", str(build), "validate", "--data", str(tmp_path / "digits.npz")]) == status
        wanted = f"accuracy 87.50 %, expected {100 * accuracy:.2f} %\n{last}: 64 images\n"
        assert capfd.readouterr().out == wanted
