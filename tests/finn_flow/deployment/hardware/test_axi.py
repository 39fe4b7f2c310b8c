"""A second opinion on the DMA channels: the AXI models of cocotbext-axi around them, in Verilator."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cocotb
import find_libpython
import pytest

from finn_flow.deployment.hardware.dma import CORES, INPUT_TEMPLATE, OUTPUT_TEMPLATE, RTL
from finn_flow.templates import fill_template
from finn_flow.verilator import toolchain
from tests.finn_flow.deployment.hardware.axi_bench import FRAME_WORDS, NUMBER, STREAM_BYTES

BENCH = Path(__file__).parent / "rtl" / "axi_bench.sv"
ROOT = Path(__file__).parents[4]
CHECKER = ROOT / "custom_ops" / "rtl_common" / "stream_checker.sv"
COCOTB = Path(cocotb.__file__).parent
SEEDS = (1,)

EXPECTED = {
    "registers_keep_what_is_written",
    "registers_take_address_and_data_in_any_order",
    "transfers_copy_every_byte_with_any_pauses",
    "transfers_back_to_back",
    "the_memory_may_take_address_and_data_in_any_order",
    "errors_of_the_memory_are_reported_once",
    "impossible_transfers_touch_nothing",
    "arguments_hold_while_a_transfer_runs",
}


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program that simulates the bench under cocotb."""
    folder = tmp_path_factory.mktemp("axi")
    sources = [BENCH, CHECKER, *(RTL / name for name in CORES)]
    for template in (INPUT_TEMPLATE, OUTPUT_TEMPLATE):
        path = folder / template.removesuffix(".in")
        values = {
            "STREAM_BYTES": str(STREAM_BYTES),
            "FRAME_WORDS": str(FRAME_WORDS),
            "BUILD_ID": f"{NUMBER:08x}",
        }
        path.write_text(fill_template(RTL / template, values))
        sources.append(path)
    toolchain.run_verilator(
        [
            *("--cc", "--exe", "--vpi", "--public-flat-rw", "--no-timing", "--assert", "-Wno-fatal"),
            *("--x-assign", "unique", "--x-initial", "unique"),
            *("--prefix", "Vtop", "--Mdir", "obj", "--top-module", BENCH.stem, *map(str, sources)),
        ],
        folder,
    )
    include = toolchain.verilator_root() / "include"
    flags = [flag for flag in toolchain.COMPILE_FLAGS if not flag.startswith(("-DVL_USER", "-fvisibility"))]
    toolchain.run_compiler(
        [
            *flags,
            *toolchain.include_flags(),
            *("-O0", "-DVM_TRACE=0", "-I", "obj"),
            *map(str, sorted((folder / "obj").glob("*.cpp"))),
            *(str(include / f"verilated{part}.cpp") for part in ("", "_vpi", "_threads")),
            str(COCOTB / "share" / "lib" / "verilator" / "verilator.cpp"),
            *(f"-Wl,-rpath,{COCOTB / 'libs'}", f"-L{COCOTB / 'libs'}", "-lcocotbvpi_verilator", "-pthread"),
            *("-o", "simulation"),
        ],
        folder,
    )
    return folder / "simulation"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_models_of_cocotbext_axi_have_no_objection(simulation: Path, tmp_path: Path, seed: int) -> None:
    """Each seed starts registers with other values and pauses in other cycles."""
    results = tmp_path / "results.xml"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "MODULE": "tests.finn_flow.deployment.hardware.axi_bench",
        "TOPLEVEL": BENCH.stem,
        "TOPLEVEL_LANG": "verilog",
        "LIBPYTHON_LOC": find_libpython.find_libpython() or "",
        "PYGPI_PYTHON_BIN": sys.executable,
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_LOG_LEVEL": "WARNING",
        "RANDOM_SEED": str(seed),
    }
    command = [str(simulation), f"+verilator+seed+{seed}", "+verilator+rand+reset+2"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert results.is_file(), done.stdout + done.stderr
    cases = {case.get("name"): case for case in ElementTree.parse(results).iter("testcase")}
    failed = [name for name, case in cases.items() if case.find("failure") is not None]
    assert not failed, done.stdout + done.stderr
    assert set(cases) == EXPECTED
