"""The weight ROM core, in Verilator: its words in turn, one per cycle, whatever the reader does."""

from pathlib import Path

import numpy as np
import pytest

import custom_ops
from finn_flow.verilator import Design, SimulationBuildError, Stall, StreamPort, lint, simulate

OPS = Path(custom_ops.__file__).parent
SOURCES = [OPS / "mvau" / "rtl" / "weight_rom.sv", OPS / "rtl_common" / "stream_checker.sv"]
WIDTH = 11
DEPTHS = [1, 2, 5, 16]
STALLS = {
    "none": Stall.none(),
    "backpressure": Stall.random(0, 0.5, seed=1),
    "long stalls": Stall.random(0, 0.5, seed=2, burst_cycles=30),
}


def run(depth: int, count: int, folder: Path, stall: Stall, **settings):
    """Take `count` words and check them; returns the simulation's result."""
    contents = np.random.default_rng(depth).integers(0, 1 << WIDTH, depth)
    lines = [f"{word:03x}" for word in contents]
    (folder / "words.dat").write_text("\n".join(lines) + "\n")
    parameters = {"WORD": int(contents[0])} if depth == 1 else {"MEMORY_FILE": "words.dat"}
    design = Design(
        top="weight_rom",
        sources=SOURCES,
        inputs=[],
        outputs=[StreamPort("m", WIDTH, "m_axis_tdata", "m_axis_tvalid", "m_axis_tready")],
        parameters={"DATA_WIDTH": WIDTH, "DEPTH": depth, **parameters},
        data_files=[folder / "words.dat"],
        clock="clk",
        reset="rst",
        reset_active_low=False,
    )
    result = simulate(design, {}, {"m": count}, stall=stall, random_seed=3, **settings)
    words = np.resize(contents, count)
    np.testing.assert_array_equal(result.outputs["m"], np.stack([words & 0xFF, words >> 8], axis=1))
    return result


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("stall", STALLS)
def test_words_in_turn(depth, stall, tmp_path):
    run(depth, 7 * depth + 3, tmp_path, STALLS[stall])


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_word_per_cycle_from_the_start(depth, tmp_path):
    stream = run(depth, 4 * depth, tmp_path, Stall.none()).streams["m"]
    assert stream.last_cycle - stream.first_cycle == 4 * depth - 1
    assert stream.first_cycle == (0 if depth == 1 else 1)


@pytest.mark.parametrize("depth", DEPTHS)
def test_reset_begins_with_the_first_word(depth, tmp_path):
    run(depth, 4 * depth + 9, tmp_path, STALLS["backpressure"], reset_at_cycle=3 * depth // 2 + 4)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"DEPTH": 0}, "DEPTH must be at least 1"),
        ({"DATA_WIDTH": 0}, "DATA_WIDTH must be at least 1"),
        ({"DEPTH": 2}, "MEMORY_FILE must be given for DEPTH > 1"),
    ],
)
def test_illegal_parameters(parameters, message):
    with pytest.raises(SimulationBuildError, match=message):
        lint("weight_rom", SOURCES, parameters)
