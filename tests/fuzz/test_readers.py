"""Damaged files are answered with one line, whoever reads them: never with a traceback, never with silence and a hang.

`make fuzz` goes on with other seeds for as long as it is let: `DSODE_FUZZ_SEED`, `DSODE_FUZZ_FILES`.
"""

from __future__ import annotations

import os
import traceback
import warnings
from pathlib import Path
from random import Random

import pytest

from finn_flow.deployment.driver.errors import DriverError
from finn_flow.errors import FlowError, UserError
from tests.fuzz.readers import Reader, readers

SEED = int(os.environ.get("DSODE_FUZZ_SEED", "1"))
FILES = int(os.environ.get("DSODE_FUZZ_FILES", "120"))
"""Damaged files for each reader."""


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    return {reader.name: reader for reader in readers(tmp_path_factory.mktemp("right"))}


NAMES = (
    "network configuration",
    "training configuration",
    "build configuration",
    "build configuration in YAML",
    "folding configuration",
    "checkpoint",
    "model",
    "netlist",
    "certificate",
    "golden file",
    "report estimates.json",
    "report fifo_sizing.json",
    "report build_config.json",
    "manifest",
    "picture",
    "array of pictures",
    "IDX images",
)


def test_no_reader_is_left_out(everyone: dict[str, Reader]) -> None:
    assert tuple(everyone) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_get_one_line(name: str, everyone: dict[str, Reader], tmp_path: Path) -> None:
    reader, random = everyone[name], Random(f"{SEED} {name}")
    wrong: dict[str, bytes] = {}
    for _ in range(FILES):
        path = tmp_path / reader.file
        content = reader.damaged(random)
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reader.read(path)
        except (UserError, FlowError, DriverError) as error:
            if "\n" in str(error) or not str(error):
                wrong.setdefault(f"not one line: {str(error)[:200]!r}", content)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            wrong.setdefault(f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}", content)
    assert not wrong, "\n".join(f"{what}; for example {content[:300]!r}" for what, content in wrong.items())
