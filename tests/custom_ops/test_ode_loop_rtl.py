"""The looped stage in Verilator: values, order, cycles, stalls, reset, and the timing model held against the RTL."""

import pytest

from custom_ops.ode_loop.schedule import (
    INPUT_LATENCY_CYCLES,
    LOOP_LATENCY_CYCLES,
    OUTPUT_LATENCY_CYCLES,
    choose_frames_in_flight,
    cycles_per_frame,
    lone_frame_latency_cycles,
)
from finn_flow.verilator import SimulationBuildError, SimulationError, Stall, lint
from tests.custom_ops.ode_loop_bench import SOURCES, WINDOW, LoopBench, steady_cycles_per_frame
from tests.gate_level import gate_level

ONE = LoopBench(iterations=4, frames_in_flight=1, words_per_frame=24)
TWO = LoopBench(iterations=3, frames_in_flight=2, words_per_frame=24)
FOUR = LoopBench(iterations=5, frames_in_flight=4, words_per_frame=24)
LONG = LoopBench(iterations=32, frames_in_flight=3, words_per_frame=5, pe=1)
SINGLE_WORD = LoopBench(iterations=2, frames_in_flight=1, words_per_frame=1, pe=3)
BENCHES = {"one": ONE, "two": TWO, "four": FOUR, "long": LONG, "single_word": SINGLE_WORD}

# Body latencies in frame times: far below, about, and far above the time of a frame.
LATENCIES = [0.1, 0.5, 0.8, 1.0, 1.5, 1.9, 2.9, 3.8, 6.0]

every_bench = pytest.mark.parametrize("bench", BENCHES.values(), ids=BENCHES)


def latencies(bench: LoopBench, cycles_per_word: int) -> list[int]:
    """Return body latencies in cycles for a frame of this length, without repetition."""
    ii = bench.words_per_frame * cycles_per_word
    return sorted({max(3, round(factor * ii)) for factor in LATENCIES})


@every_bench
@pytest.mark.parametrize("cycles_per_word", [1, 3])
def test_steady_state_is_as_the_model_says(bench, cycles_per_word):
    ii = bench.words_per_frame * cycles_per_word
    group = bench.frames_in_flight
    exact = 0
    for latency in latencies(bench, cycles_per_word):
        measured = steady_cycles_per_frame(bench.run(4 * WINDOW, latency, cycles_per_word))
        model = cycles_per_frame(bench.iterations, latency, ii, group)
        if choose_frames_in_flight(latency, ii) <= group:
            assert measured == model == bench.iterations * ii, f"latency {latency}, interval {ii}"
            exact += 1
        elif group == 1:
            assert measured == model, f"latency {latency}, interval {ii}"
        else:
            assert bench.iterations * ii < measured <= model, f"latency {latency}, interval {ii}"
    assert exact or bench.words_per_frame * cycles_per_word <= LOOP_LATENCY_CYCLES


@every_bench
@pytest.mark.parametrize("cycles_per_word", [1, 3])
def test_lone_frame_takes_the_ideal_time(bench, cycles_per_word):
    ii = bench.words_per_frame * cycles_per_word
    for latency in latencies(bench, cycles_per_word):
        streams = bench.run(1, latency, cycles_per_word).streams
        through_body = latency + ii - cycles_per_word
        ideal = lone_frame_latency_cycles(bench.iterations, latency, ii, through_body)
        assert streams["out0_V"].last_cycle - streams["in0_V"].first_cycle == ideal


@every_bench
def test_frames_with_gaps_do_not_see_each_other(bench):
    latency = bench.words_per_frame // 2 + 3
    alone = bench.run(1, latency).streams["out0_V"].frame_end_cycles[0]
    ideal = lone_frame_latency_cycles(
        bench.iterations, latency, bench.words_per_frame, latency + bench.words_per_frame - 1
    )
    gap = ideal + 10
    ends = bench.run(4, latency, idle_between_frames=gap).streams["out0_V"].frame_end_cycles
    period = gap + bench.words_per_frame
    assert list(ends) == [alone + i * period for i in range(4)]


@pytest.mark.parametrize("latency_factor", [0.5, 1.7])
@every_bench
def test_a_slow_frame_does_not_delay_the_one_before(bench, latency_factor):
    latency = max(3, round(latency_factor * bench.words_per_frame))
    streams = bench.run(1, latency).streams
    alone = streams["out0_V"].last_cycle
    # The first frame comes at full speed, the others so slowly that the second is not complete before the first has
    # left; once it is complete it may rightly take its turns.
    fast = streams["in0_V"].last_cycle + 1
    period = alone // bench.words_per_frame + 50
    slow = [False] * fast + ([True] * (period - 1) + [False]) * (3 * bench.words_per_frame)
    result = bench.run(3, latency, stall=Stall.pattern({"in0_V": slow}))
    assert result.streams["out0_V"].frame_end_cycles[0] == alone


@every_bench
def test_a_slow_frame_costs_its_arrival_and_the_other_passes(bench):
    latency = bench.words_per_frame // 2 + 3
    stall = Stall.pattern({"in0_V": [True] * 9 + [False]})
    streams = bench.run(1, latency, stall=stall).streams
    per_pass = max(bench.words_per_frame, latency + LOOP_LATENCY_CYCLES)
    enters_body = streams["in0_V"].last_cycle + INPUT_LATENCY_CYCLES
    leaves_body = enters_body + (bench.iterations - 1) * per_pass + latency
    assert streams["out0_V"].last_cycle == leaves_body + OUTPUT_LATENCY_CYCLES


@every_bench
@pytest.mark.parametrize("latency_factor", [0.3, 1.4, 3.3])
def test_slow_input_and_stalled_output(bench, latency_factor):
    latency = max(3, round(latency_factor * bench.words_per_frame))
    patterns = {
        "trickling input": {"in0_V": [True] * 12 + [False]},
        "output stalled for long": {"out0_V": [True] * (7 * bench.words_per_frame + 90) + [False] * 37},
        "output hardly ever ready": {"out0_V": [True] * 19 + [False]},
        "both": {"in0_V": [True] * 5 + [False] * 40, "out0_V": [True, True, True, False]},
    }
    for pattern in patterns.values():
        bench.run(3 * bench.frames_in_flight + 2, latency, 2, stall=Stall.pattern(pattern))


@every_bench
def test_output_stall_costs_only_its_own_time(bench):
    """Once the output is ready again, frames follow at full speed."""
    ii = bench.words_per_frame * 2
    latency = max(3, ii // 2)
    stalled = [True] * (10 * ii) + [False] * 10**5
    result = bench.run(5 * WINDOW, latency, 2, stall=Stall.pattern({"out0_V": stalled}))
    assert steady_cycles_per_frame(result) == cycles_per_frame(bench.iterations, latency, ii, bench.frames_in_flight)


@every_bench
@pytest.mark.parametrize("seed", range(4))
def test_random_stalls(bench, seed):
    bursts = {0: None, 1: 4.0, 2: 30.0, 3: None}[seed]
    p_input, p_output = ((0.3, 0.3), (0.7, 0.1), (0.4, 0.6), (0.05, 0.9))[seed]
    for latency in latencies(bench, 1)[1::3]:
        stall = Stall.random(p_input, p_output, seed=seed, burst_cycles=bursts)
        bench.run(25, latency, stall=stall)


@every_bench
@pytest.mark.parametrize("share", [0.2, 0.5, 0.93])
def test_reset_in_mid_frame(bench, share):
    latency = max(3, round(1.3 * bench.words_per_frame))
    frames = 2 * bench.frames_in_flight + 1
    whole_run = bench.run(frames, latency).cycles
    bench.run(frames, latency, reset_at_cycle=round(share * whole_run))


def test_gates_equal_reference(tmp_path):
    """What open synthesis makes of loop and body, cell by cell, under stalls and after a reset in mid-frame."""
    bench = LoopBench(iterations=3, frames_in_flight=2, words_per_frame=6, body_words=32)
    stall = Stall.random(0.3, 0.3, seed=5)
    for reset in (None, 60):
        bench.run(8, 9, stall=stall, reset_at_cycle=reset, replaced_by=lambda design: gate_level(design, tmp_path))


def test_body_that_breaks_its_contract_is_reported():
    with pytest.raises(SimulationError, match="gives a word outside any pass"):
        ONE.run(2, 10, spurious=True)


def test_soak():
    """Many frames of many lengths of pauses, with as many frames in the loop as it holds."""
    FOUR.run(1000, round(3.5 * FOUR.words_per_frame), stall=Stall.random(0.2, 0.2, seed=11, burst_cycles=10))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"NUM_INDEX": 1, "INDEX_WIDTH": 8, "ITERATIONS": 3, "WORDS_PER_FRAME": 5},
        {"NUM_INDEX": 3, "ITERATIONS": 64, "FRAMES_IN_FLIGHT": 4, "WORDS_PER_FRAME": 1, "DATA_WIDTH": 1},
        {"FRAMES_IN_FLIGHT": 2, "WORDS_PER_FRAME": 63, "FEEDBACK_RAM_STYLE": "ultra", "INPUT_RAM_STYLE": "block"},
    ],
)
def test_lint(parameters):
    lint("ode_loop", SOURCES, parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ITERATIONS": 1}, "ITERATIONS must be at least 2"),
        ({"FRAMES_IN_FLIGHT": 0}, "FRAMES_IN_FLIGHT must be at least 1"),
        ({"WORDS_PER_FRAME": 0}, "WORDS_PER_FRAME must be at least 1"),
        ({"ITERATIONS": 9, "INDEX_WIDTH": 3}, "INDEX_WIDTH must hold ITERATIONS - 1"),
    ],
)
def test_illegal_parameters_stop_elaboration(parameters, message):
    with pytest.raises(SimulationBuildError, match=message):
        lint("ode_loop", SOURCES, parameters)
