"""Known figures of small modules, the cache, and what a failing tool says."""

import subprocess
import sys
import time
from pathlib import Path

import finn
import psutil
import pytest

import custom_ops
from finn_flow.errors import FlowError, UserError
from finn_flow.synthesis import SynthesisJob, engine, mapped_netlist, stage, synthesise, synthesise_all

HERE = Path(__file__).parent / "rtl"
COMMON = Path(custom_ops.__file__).parent / "rtl_common"
FINN = Path(finn.__file__).parent / "finn-rtllib"
DEPTHWISE = [*(COMMON.parent / "depthwise_conv" / "rtl").glob("*.sv"), *COMMON.glob("*.sv")]
MVU = [FINN / "mvu" / name for name in ("mvu_pkg.sv", "mvu.sv", "add_multi.sv")]


@pytest.fixture(scope="module")
def rom_data(tmp_path_factory):
    path = tmp_path_factory.mktemp("rom") / "rom.dat"
    path.write_text("".join(f"{(7 * n * n) % 65536:04x}\n" for n in range(1024)))
    return path


@pytest.fixture(scope="module")
def results(rom_data):
    """All jobs of this module in one run of the tool, by name."""

    def multiply(bits, style):
        return SynthesisJob("multiply", [HERE / "multiply.sv"], parameters={"BITS": bits, "USE_DSP": style})

    def fifo(width, depth, style="auto"):
        parameters = {"DATA_WIDTH": width, "DEPTH": depth, "RAM_STYLE": style}
        return SynthesisJob("fifo", [FINN / "fifo" / "hdl" / "fifo.sv"], parameters=parameters)

    def stream_fifo(width, depth, style):
        parameters = {"DATA_WIDTH": width, "DEPTH": depth, "RAM_STYLE": style}
        return SynthesisJob("stream_fifo", [COMMON / "stream_fifo.sv"], parameters=parameters)

    convolution = {"K": 3, "H": 8, "W": 32, "PE": 4, "IN_BITS": 4, "RAM_STYLE": "distributed", "USE_DSP": "no"}
    convolution["WEIGHTS"] = int("1234567" * 5 + "1", 16)
    mvu = {"VERSION": 2, "PE": 4, "SIMD": 2, "WEIGHT_WIDTH": 4, "ACTIVATION_WIDTH": 4, "ACCU_WIDTH": 10}
    jobs = {
        "multiply in DSP": multiply(4, "yes"),
        "multiply in LUTs": multiply(8, "no"),
        "large multiply": multiply(9, "auto"),
        "shift FIFO": fifo(16, 32),
        "block FIFO": stream_fifo(36, 1000, "block"),
        "ultra FIFO": stream_fifo(72, 4096, "ultra"),
        "ROM": SynthesisJob("rom", [HERE / "rom.sv"], data_files=[rom_data]),
        "depthwise": SynthesisJob("depthwise_conv", DEPTHWISE, parameters=convolution),
        "MVU": SynthesisJob("mvu", MVU, parameters=mvu),
    }
    return dict(zip(jobs, synthesise_all([stage(job) for job in jobs.values()]), strict=True))


def test_multipliers_go_where_they_are_asked_to(results):
    assert results["multiply in DSP"].dsp48e2 == 1
    assert results["multiply in LUTs"].dsp48e2 == 0
    assert results["multiply in LUTs"].lut_logic > 40
    assert results["large multiply"].dsp48e2 == 1


def test_shallow_fifo_is_shift_registers(results):
    found = results["shift FIFO"]
    assert found.srl == 16
    assert found.lut_total < 50
    assert found.ff < 45


def test_memories_have_the_kind_that_is_asked_for(results):
    assert (results["block FIFO"].bram36, results["block FIFO"].lutram) == (1.0, 0)
    assert (results["ultra FIFO"].uram288, results["ultra FIFO"].bram36) == (1, 0)


def test_line_memories_of_a_depthwise_convolution(results):
    """Two lines of 32 words of 16 bits, two to a LUT, in two memories each with a LUT for the write address."""
    assert (results["depthwise"].lutram, results["depthwise"].bram36, results["depthwise"].dsp48e2) == (20, 0, 0)


def test_rom_with_contents_is_a_block_ram(results):
    assert results["ROM"].bram36 == 0.5
    assert results["ROM"].ff == 0


def test_instantiated_dsps_do_not_vanish(results):
    """Four products of 4 bits share a DSP48E2: 4 x 2 of them take two."""
    assert results["MVU"].dsp48e2 == 2


def test_instantiated_primitives_keep_their_parameters():
    """A LUT6_2 without its INIT, or a DSP48E2 without its registers' numbers, would be another circuit."""
    module = mapped_netlist(stage(SynthesisJob("primitives", [HERE / "primitives.sv"])))
    cells = {cell["type"]: cell["parameters"] for cell in module["cells"].values()}
    assert int(cells["LUT6_2"]["INIT"], 2) == 0xDEADBEEF12345678
    assert {name: cells["DSP48E2"][name] for name in ("AMULTSEL", "USE_SIMD")} == {
        "AMULTSEL": "AD",
        "USE_SIMD": "TWO24",
    }
    assert {name: int(cells["DSP48E2"][name], 2) for name in ("AREG", "PREG", "RND")} == {
        "AREG": 2,
        "PREG": 0,
        "RND": 3,
    }


def test_second_run_takes_the_cache(results, monkeypatch):
    def no_run(*_):
        raise AssertionError("the tool was run")

    monkeypatch.setattr(engine, "_run", no_run)
    parameters = {"BITS": 4, "USE_DSP": "yes"}
    assert synthesise("multiply", [HERE / "multiply.sv"], parameters=parameters) == results["multiply in DSP"]


def test_worker_ends_with_its_parent(tmp_path):
    """Nothing goes on synthesising when the command is killed."""
    source = tmp_path / "slow.sv"
    body = "always_ff @(posedge clk) y <= y * a + (y ** 3) * (a - y);"
    source.write_text(
        f"module slow(input logic clk, input logic [255:0] a, output logic [255:0] y);\n{body}\nendmodule\n"
    )
    code = f"from finn_flow.synthesis import synthesise; synthesise('slow', [{str(source)!r}])"
    parent = psutil.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (children := parent.children(recursive=True)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert children
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


def test_tool_failure_names_module_and_first_error(tmp_path):
    source = tmp_path / "broken.sv"
    source.write_text("module broken(input logic a, output logic b);\n  assign b = missing & a;\nendmodule\n")
    with pytest.raises(FlowError, match=r"synthesis of broken failed: .*broken\.sv:2: .*missing"):
        synthesise("broken", [source])


def test_missing_memory_file_is_named():
    with pytest.raises(FlowError, match=r"synthesis of rom failed: .*rom\.dat"):
        synthesise("rom", [HERE / "rom.sv"])


def test_missing_source_and_other_parts_are_the_users_mistakes(tmp_path):
    with pytest.raises(UserError, match=r"cannot read the source file .*nothing\.sv"):
        synthesise("nothing", [tmp_path / "nothing.sv"])
    with pytest.raises(UserError, match=r"cannot read the memory file .*none\.dat"):
        synthesise("rom", [HERE / "rom.sv"], data_files=[tmp_path / "none.dat"])
    with pytest.raises(UserError, match="UltraScale"):
        synthesise("rom", [HERE / "rom.sv"], part="xc7z020clg400-1")
