"""One small accelerator, its package, and simulated boards with it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brevitas_models.data import ImageSet
from finn_flow.deployment.driver import Accelerator
from finn_flow.deployment.driver.preprocessing import Preprocessing
from finn_flow.deployment.package import make_package
from finn_flow.deployment.simulated_board import SimulatedBoard
from finn_flow.deployment.simulated_board.board import PYNQ_FOLDER
from finn_flow.execution import execute_hardware
from tests.finn_flow.netlist.one_block import OneBlock, one_block


@pytest.fixture(scope="session")
def tiny() -> OneBlock:
    """Return the accelerator: 8x6 grey images, ten classes."""
    return one_block()


@pytest.fixture(scope="session")
def build(tiny: OneBlock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its build folder, with a package."""
    folder = tiny.copy(tmp_path_factory.mktemp("build") / "tiny")
    make_package(folder)
    return folder


@pytest.fixture(scope="session")
def package(build: Path) -> Path:
    """Return the package's folder."""
    return build / "deploy"


@pytest.fixture(scope="session")
def build_id(package: Path) -> int:
    from finn_flow.deployment.driver.manifest import Manifest

    return Manifest.load(package).build_id


@pytest.fixture(scope="session")
def digits(mnist: dict[str, ImageSet], tiny: OneBlock) -> tuple[np.ndarray, np.ndarray]:
    """Real images uint8 [64, 28, 28], and the classes [64, 1] that the hardware graph in Python gives for them."""
    images = mnist["test"].images[:64, :, :, 0]
    codes = Preprocessing((8, 6), 1).apply(images)
    return images, execute_hardware(tiny.folded, codes)["labels"].reshape(-1, 1)


@pytest.fixture
def boards(tiny: OneBlock, build_id: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., SimulatedBoard]]:
    """Makes simulated boards, for drivers in this process, too; they are switched off at the test's end."""
    monkeypatch.syspath_prepend(str(PYNQ_FOLDER))
    monkeypatch.delitem(sys.modules, "pynq", raising=False)
    with ExitStack() as stack:

        def make(**options: Any) -> SimulatedBoard:
            return stack.enter_context(SimulatedBoard(**{"netlist": tiny.netlist, "build_id": build_id, **options}))

        yield make


@pytest.fixture
def accelerators(package: Path, tmp_path: Path) -> Iterator[Callable[..., Accelerator]]:
    """Makes drivers on a given board; they are closed at the test's end."""
    with ExitStack() as stack:

        def make(board: SimulatedBoard, **options: Any) -> Accelerator:
            defaults: dict[str, Any] = {"timeout_s": 300.0, "lock_file": tmp_path / "lock"}
            accelerator = Accelerator(package, board.bitfile, **{**defaults, **options})
            return stack.enter_context(accelerator)

        yield make
