"""The FIFO and the queue cores: order, capacity, latency, throughput, in Verilator."""

from pathlib import Path

import numpy as np
import pytest

import custom_ops
from custom_ops.fifo_memory import fifo_memory_depth, resolve_ram_style, uram
from finn_flow.verilator import Design, Stall, StreamPort, lint, pack, simulate

RTL = Path(custom_ops.__file__).parent / "rtl_common"
WIDTH = 11
# Module, depth; odd depths, the smallest ones, and one whose memory is two words smaller than the FIFO.
CORES = [("stream_fifo", 1), ("stream_fifo", 5), ("stream_fifo", 37), ("stream_queue", 1), ("stream_queue", 2)]
LATENCY = {"stream_fifo": 3, "stream_queue": 1}

every_core = pytest.mark.parametrize(("core", "depth"), CORES)


def run(core: str, depth: int, count: int, stall: Stall, **settings):
    """Send `count` words through and check them; returns the simulation's result."""
    design = Design(
        top=core,
        sources=[RTL / f"{core}.sv"],
        inputs=[StreamPort("s", WIDTH, "s_axis_tdata", "s_axis_tvalid", "s_axis_tready")],
        outputs=[StreamPort("m", WIDTH, "m_axis_tdata", "m_axis_tvalid", "m_axis_tready")],
        parameters={"DATA_WIDTH": WIDTH, "DEPTH": depth},
        clock="clk",
        reset="rst",
        reset_active_low=False,
        probes=["level"],
    )
    words = pack(np.random.default_rng(3).integers(0, 1 << WIDTH, (count, 1)), WIDTH)
    result = simulate(
        design,
        {"s": words},
        {"m": count},
        stall=stall,
        random_seed=2,
        record_transfers=True,
        drain_cycles=9,
        **settings,
    )
    np.testing.assert_array_equal(result.outputs["m"], words)
    assert result.streams["m"].surplus_words == 0
    assert result.probes["level"] == 0
    return result


@every_core
@pytest.mark.parametrize("p_input", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("p_output", [0.0, 0.4, 0.8])
def test_keeps_words_in_order(core, depth, p_input, p_output):
    run(core, depth, 400, Stall.random(p_input, p_output, seed=5))
    if p_input and p_output:
        run(core, depth, 400, Stall.random(p_input, p_output, seed=6, burst_cycles=3 * depth + 10))


@every_core
def test_reset_empties_it(core, depth):
    run(core, depth, 100, Stall.random(0.1, 0.6, seed=7), reset_at_cycle=60)


@every_core
def test_latency(core, depth):
    streams = run(core, depth, 1, Stall.none()).streams
    assert streams["m"].first_cycle - streams["s"].first_cycle == LATENCY[core]


@every_core
def test_holds_exactly_its_depth(core, depth):
    blocked = 2 * depth + 20
    streams = run(core, depth, 3 * depth + 4, Stall.pattern({"m": [True] * blocked + [False] * 1000})).streams
    assert np.count_nonzero(streams["s"].transfer_cycles < blocked) == depth


@every_core
def test_a_word_per_cycle(core, depth):
    """A FIFO deep enough for its own latency keeps up with a word per cycle, also after having been full."""
    if depth <= LATENCY[core]:
        streams = run(core, depth, 50, Stall.none()).streams
        assert streams["m"].last_cycle - streams["m"].first_cycle == 49 * (LATENCY[core] + 1) // depth
        return
    count = 10 * depth
    blocked = 2 * depth + 20
    for stall in (Stall.none(), Stall.pattern({"m": [True] * blocked + [False] * 1000})):
        streams = run(core, depth, count, stall).streams
        assert streams["m"].last_cycle - streams["m"].first_cycle == count - 1


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 7, 64, 66, 1000])
@pytest.mark.parametrize("style", ["distributed", "block", "ultra"])
def test_lint(depth, style):
    lint("stream_fifo", [RTL / "stream_fifo.sv"], {"DEPTH": depth, "RAM_STYLE": style})
    if depth < 66:
        lint("stream_queue", [RTL / "stream_queue.sv"], {"DEPTH": depth})


@pytest.mark.parametrize(
    ("width_bits", "depth", "style"),
    [(8, 14, "distributed"), (8, 64, "distributed"), (64, 256, "block"), (16, 1024, "block"), (72, 4096, "block")],
)
def test_automatic_ram_style(width_bits, depth, style):
    assert resolve_ram_style("auto", width_bits, depth) == style
    assert resolve_ram_style("ultra", width_bits, depth) == "ultra"


def test_memory_sizes():
    assert [fifo_memory_depth(depth) for depth in (1, 4, 5, 66)] == [2, 2, 3, 64]
    assert [uram(*size) for size in ((72, 4096), (73, 4096), (72, 4097))] == [1, 2, 2]
