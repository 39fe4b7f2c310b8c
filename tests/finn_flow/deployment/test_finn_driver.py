"""FINN's stock driver, unmodified, with the package on the simulated board."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from finn_flow.cache import cache_subdir
from finn_flow.deployment.settings import finn_settings
from finn_flow.deployment.simulated_board.board import PYNQ_FOLDER
from finn_flow.files import locked

DRIVER = "finn-plus-driver==1.6.1"
EXECUTE = """
import json, sys
import numpy as np
from finn_plus_driver import get_driver_class
bitfile, settings, images, batch, out = sys.argv[1:]
settings = json.load(open(settings))["driver_information"]
images = np.load(images)
driver = get_driver_class(settings["driver_type"])(bitfile, batch_size=int(batch), **settings)
found = [driver.execute(images[i:i + int(batch)]) for i in range(0, len(images), int(batch))]
np.save(out, np.concatenate(found))
"""


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Where this Python finds the stock driver and the simulated PYNQ.

    The driver wants another NumPy than this project, so it is kept out of the environment, without its dependencies.
    """
    folder = cache_subdir("finn-driver") / DRIVER
    with locked(cache_subdir("finn-driver") / "lock"):
        if not (folder / "finn_plus_driver").is_dir():
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
            subprocess.run([*pip, "--target", str(folder), DRIVER], check=True)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(PYNQ_FOLDER)])}


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_real_images_are_classified_exactly(boards, environment, package, digits, tmp_path, batch):
    """It takes whole batches only."""
    from finn_flow.deployment.driver.preprocessing import Preprocessing

    images, expected = (array[: 64 // batch * batch] for array in digits)
    np.save(tmp_path / "images.npy", Preprocessing((8, 6), 1).apply(images))
    board = boards(build_id=0, stall=0.3)
    arguments = [board.bitfile, package / "driver" / "settings.json", tmp_path / "images.npy", batch, tmp_path / "out"]
    subprocess.run([sys.executable, "-c", EXECUTE, *map(str, arguments)], env=environment, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy").reshape(-1, 1), expected)


def test_its_command_line(boards, environment, package, tmp_path):
    arguments = ["-b", boards().bitfile, "-s", package / "driver" / "settings.json", "-f", "run_throughput_test"]
    arguments += ["-ck", "batch_size=7", "Int", "-fk", f"report_dir={tmp_path}", "Str"]
    command = [sys.executable, "-m", "finn_plus_driver", *map(str, arguments)]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    report = json.loads((tmp_path / "report_throughput_test.json").read_text())
    assert report["batch_size"] == 7
    assert report["throughput[images/s]"] > 0


def test_settings_are_what_finns_packing_gives(tiny):
    """The packed shapes are those of FINN's own function."""
    from finn.util.data_packing import finnpy_to_packed_bytearray
    from qonnx.core.datatype import DataType

    shapes = finn_settings(tiny.netlist)["driver_information"]["io_shape_dict"]
    for prefix in "io":
        datatype = DataType[shapes[f"{prefix}dt"][0].split("'")[1]]
        folded = np.zeros(shapes[f"{prefix}shape_folded"][0], np.float32)
        packed = finnpy_to_packed_bytearray(folded, datatype, reverse_endian=True, reverse_inner=True)
        assert list(packed.shape) == shapes[f"{prefix}shape_packed"][0]
