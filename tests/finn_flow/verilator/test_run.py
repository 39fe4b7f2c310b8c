"""The run loop, on little designs whose behaviour is plain."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from finn_flow.verilator import SimulationError, SimulationHang, Stall, StuckStream, pack, simulate, unpack
from tests.finn_flow.verilator.designs import RTL, Design, core, passthrough, port, random_words

STALLS = {
    "none": Stall.none(),
    "idle": Stall.random(0.5, 0.0, seed=1),
    "backpressure": Stall.random(0.0, 0.5, seed=2),
    "both": Stall.random(0.3, 0.4, seed=3),
    "bursts": Stall.random(0.3, 0.3, seed=4, burst_cycles=8),
    "pattern": Stall.pattern({"m_axis": [True, True, False], "s_axis": [False, True]}),
}


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("width_bits", [8, 13, 200])
def test_sink_gets_the_exact_sequence(width_bits: int, stall: str) -> None:
    words = random_words(500, width_bits)
    result = simulate(passthrough(width_bits), {"s_axis": words}, {"m_axis": 500}, stall=STALLS[stall], drain_cycles=20)
    np.testing.assert_array_equal(result.outputs["m_axis"], words)
    assert result.streams["m_axis"].surplus_words == 0
    assert result.streams["s_axis"].transactions == result.streams["m_axis"].transactions == 500
    assert result.probes["count"] == 500


def test_cycles_without_stalls() -> None:
    result = simulate(
        passthrough(), {"s_axis": random_words(12, 8)}, {"m_axis": 12}, words_per_frame={"m_axis": 4, "s_axis": 6}
    )
    sent, received = result.streams["s_axis"], result.streams["m_axis"]
    assert (sent.first_cycle, sent.last_cycle, sent.stalled_cycles, sent.starved_cycles) == (0, 11, 0, 0)
    assert (received.first_cycle, received.last_cycle, received.starved_cycles) == (1, 12, 1)
    assert sent.frame_end_cycles.tolist() == [5, 11]
    assert received.frame_end_cycles.tolist() == [4, 8, 12]
    assert result.cycles == 13


def test_counters_under_backpressure() -> None:
    stall = Stall.pattern({"m_axis": [True, True, False]})
    result = simulate(passthrough(), {"s_axis": random_words(4, 8)}, {"m_axis": 4}, stall=stall, record_transfers=True)
    received = result.streams["m_axis"]
    assert received.transfer_cycles is not None
    assert received.transfer_cycles.tolist() == [2, 5, 8, 11]
    assert received.stalled_cycles == 7
    assert result.streams["s_axis"].stalled_cycles == 5


def test_random_stalls_have_their_share_and_their_seed() -> None:
    words = random_words(20_000, 8)

    def cycles(seed: int, burst_cycles: float | None = None) -> int:
        stall = Stall.random(0.25, 0.0, seed, burst_cycles)
        return simulate(passthrough(), {"s_axis": words}, {"m_axis": len(words)}, stall=stall).cycles

    assert cycles(1) == cycles(1) != cycles(2)
    assert cycles(1) == pytest.approx(len(words) / 0.75, rel=0.02)
    assert cycles(1, burst_cycles=10) == pytest.approx(len(words) / 0.75, rel=0.05)


def test_idle_between_frames() -> None:
    result = simulate(
        passthrough(),
        {"s_axis": random_words(6, 8)},
        {"m_axis": 6},
        words_per_frame={"s_axis": 2},
        idle_between_frames=10,
        record_transfers=True,
    )
    cycles = result.streams["s_axis"].transfer_cycles
    assert cycles is not None
    assert cycles.tolist() == [0, 1, 12, 13, 24, 25]


def test_frames_one_at_a_time() -> None:
    result = simulate(
        passthrough(),
        {"s_axis": random_words(6, 8)},
        {"m_axis": 6},
        words_per_frame={"s_axis": 2, "m_axis": 2},
        frames_in_flight=1,
        record_transfers=True,
    )
    cycles = result.streams["s_axis"].transfer_cycles
    assert cycles is not None
    assert cycles.tolist() == [0, 1, 3, 4, 6, 7]


@pytest.mark.parametrize("stall", ["none", "idle", "backpressure", "both", "bursts"])
def test_several_streams(stall: str) -> None:
    design = Design(
        "fork_join",
        [RTL / "fork_join.sv"],
        [port("a", 12), port("b", 12)],
        [port("sum", 13), port("copy", 13)],
        clock="clk",
        reset="rst",
        reset_active_low=False,
    )
    a, b = np.random.default_rng(0).integers(0, 4096, (2, 300, 1))
    result = simulate(design, {"a": pack(a, 12), "b": pack(b, 12)}, {"sum": 300, "copy": 300}, stall=STALLS[stall])
    for name in ("sum", "copy"):
        np.testing.assert_array_equal(unpack(result.outputs[name], 1, 13, signed=False), a + b)


def test_hang_names_an_output_that_is_not_produced() -> None:
    with pytest.raises(SimulationHang, match=r"passthrough: hangs: no transfer in the 50 cycles") as caught:
        simulate(passthrough(), {"s_axis": random_words(3, 8)}, {"m_axis": 5}, max_idle_cycles=50)
    assert caught.value.stuck == [StuckStream("m_axis", False, 3, 5, tvalid=False, tready=True)]
    assert "output m_axis: 3 of 5 words produced (TVALID=0 TREADY=1)" in str(caught.value)


def test_hang_names_an_input_that_is_not_accepted() -> None:
    with pytest.raises(SimulationHang) as caught:
        simulate(passthrough(STOP_AFTER=7), {"s_axis": random_words(9, 8)}, {"m_axis": 9}, max_idle_cycles=50)
    assert caught.value.stuck == [
        StuckStream("s_axis", True, 7, 9, tvalid=True, tready=False),
        StuckStream("m_axis", False, 7, 9, tvalid=False, tready=True),
    ]


def test_idle_frames_are_no_hang() -> None:
    simulate(
        passthrough(),
        {"s_axis": random_words(4, 8)},
        {"m_axis": 4},
        words_per_frame={"s_axis": 2},
        idle_between_frames=1000,
        max_idle_cycles=50,
    )


def test_failing_assertion_is_an_error_with_its_message() -> None:
    design = passthrough(FORBIDDEN=77)
    words = pack(np.arange(70, 90)[:, None], 8)
    with pytest.raises(SimulationError, match=r"reported an error in cycle 9:\n.*the word 77 is forbidden"):
        simulate(design, {"s_axis": words}, {"m_axis": 20})
    np.testing.assert_array_equal(simulate(design, {"s_axis": words[:7]}, {"m_axis": 7}).outputs["m_axis"], words[:7])


def test_what_the_rtl_prints_is_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    result = simulate(passthrough(GREET=1), {"s_axis": random_words(1, 8)}, {"m_axis": 1})
    assert "hello from" in result.log
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("cycle", [1, 6, 10])
def test_reset_in_mid_frame(cycle: int) -> None:
    values = np.arange(1, 17)[:, None]
    result = simulate(
        core("accumulate", output_bits=16), {"s_axis": pack(values, 8)}, {"m_axis": 4}, reset_at_cycle=cycle
    )
    assert unpack(result.outputs["m_axis"], 1, 16, signed=False).ravel().tolist() == [10, 26, 42, 58]
    assert result.cycles == 17


def test_reset_after_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="reset_at_cycle=100 must be before the end in cycle 17"):
        simulate(
            core("accumulate", output_bits=16),
            {"s_axis": random_words(16, 8)},
            {"m_axis": 4},
            reset_at_cycle=100,
        )


def test_surplus_words_are_counted() -> None:
    result = simulate(core("generator"), {"s_axis": random_words(4, 8)}, {"m_axis": 6}, drain_cycles=10)
    assert result.streams["m_axis"].surplus_words == 2


def test_data_files_are_found_by_name_in_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "table.mem").write_text("11\n22\n33\n44\n")
    words = pack([[3], [0], [2]], 2)
    for data in (tmp_path / "table.mem", tmp_path):
        result = simulate(core("lookup", 2, data_files=[data]), {"s_axis": words}, {"m_axis": 3})
        assert result.outputs["m_axis"].ravel().tolist() == [0x44, 0x11, 0x33]
    (tmp_path / "table.mem").write_text("55\n66\n77\n88\n")
    result = simulate(core("lookup", 2, data_files=[tmp_path]), {"s_axis": words}, {"m_axis": 3})
    assert result.outputs["m_axis"].ravel().tolist() == [0x88, 0x55, 0x77]


def test_missing_data_file_is_an_error() -> None:
    with pytest.raises(SimulationError, match=r"table\.mem"):
        simulate(core("lookup", 2), {"s_axis": pack([[3]], 2)}, {"m_axis": 1})


def test_waveform(tmp_path: Path) -> None:
    trace = tmp_path / "wave.vcd"
    simulate(passthrough(), {"s_axis": random_words(5, 8)}, {"m_axis": 5}, trace=trace)
    text = trace.read_text()
    assert "s_axis_tdata" in text
    assert "$enddefinitions" in text


def test_progress_and_profile() -> None:
    seen: list[tuple[int, int]] = []
    words = random_words(100_000, 8)
    result = simulate(
        passthrough(),
        {"s_axis": words},
        {"m_axis": len(words)},
        profile=True,
        progress=lambda done, expected: seen.append((done, expected)),
    )
    assert seen == sorted(seen)
    assert seen[-1] == (100_000, 100_000)
    assert result.model_seconds is not None
    assert 0 < result.model_seconds < result.seconds


def test_bad_words_and_names() -> None:
    design = passthrough(13)
    good = random_words(3, 13)
    with pytest.raises(ValueError, match=r"inputs must be given for \['s_axis'\], not for \['in0'\]"):
        simulate(design, {"in0": good}, {"m_axis": 3})
    with pytest.raises(ValueError, match=r"outputs must be given for \['m_axis'\], not for \[\]"):
        simulate(design, {"s_axis": good}, {})
    with pytest.raises(ValueError, match=r"words must be uint8 \[n, 2\], not uint8 \[3, 1\]"):
        simulate(design, {"s_axis": good[:, :1]}, {"m_axis": 3})
    with pytest.raises(ValueError, match="words must not have bits above bit 12"):
        simulate(design, {"s_axis": good | 0x80}, {"m_axis": 3})
    with pytest.raises(ValueError, match=r"words_per_frame names streams that do not exist: \['x'\]"):
        simulate(design, {"s_axis": good}, {"m_axis": 3}, words_per_frame={"x": 1})
    with pytest.raises(ValueError, match="words_per_frame of m_axis must be positive, not 0"):
        simulate(design, {"s_axis": good}, {"m_axis": 3}, words_per_frame={"m_axis": 0})
    with pytest.raises(ValueError, match=r"stall patterns name streams that do not exist: \['x'\]"):
        simulate(design, {"s_axis": good}, {"m_axis": 3}, stall=Stall.pattern({"x": [True]}))


def test_stall_probabilities_are_checked() -> None:
    with pytest.raises(ValueError, match=r"p_input must be in \[0, 1\), not 1"):
        Stall.random(1.0, 0.0)
    with pytest.raises(ValueError, match=r"burst_cycles must be at least 3 for p_output=0\.75"):
        Stall.random(0.0, 0.75, burst_cycles=2)


def test_streams_need_different_names() -> None:
    design = passthrough()
    with pytest.raises(ValueError, match="stream names must be unique, not repeat s_axis"):
        replace(design, outputs=[port("s_axis", 8)])


_UNWRITTEN = """
module unwritten(input logic clk, input logic rst, input logic [3:0] bias,
    input logic [3:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready,
    output logic [31:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready);
  logic [31:0] mem[16];
  assign s_axis_tready = m_axis_tready;
  assign m_axis_tvalid = s_axis_tvalid;
  assign m_axis_tdata = mem[s_axis_tdata ^ bias];
  always_ff @(posedge clk) if (rst) mem[0] <= 32'd7;
endmodule
"""


def test_what_has_no_initial_value_is_0_or_random_by_seed(tmp_path: Path) -> None:
    source = tmp_path / "unwritten.sv"
    source.write_text(_UNWRITTEN)
    design = replace(core("unwritten", 4, 32), sources=[source])
    words = pack(np.arange(16)[:, None], 4)

    def read(seed: int | None, bias: int = 0) -> list[int]:
        biased = replace(design, constants={"bias": bias})
        result = simulate(biased, {"s_axis": words}, {"m_axis": 16}, random_seed=seed)
        return unpack(result.outputs["m_axis"], 1, 32, signed=False).ravel().tolist()

    assert read(None) == [7] + [0] * 15
    assert read(None, bias=1) == [0, 7] + [0] * 14
    first = read(1)
    assert first[0] == 7
    assert 0 not in first
    assert first == read(1) != read(2)
