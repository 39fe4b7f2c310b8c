"""The whole accelerator in Verilator: the golden chain's last link, cycles, resets, and finding faults."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build_folder import BuildFolder
from finn_flow.cli.group import main
from finn_flow.errors import FlowError
from finn_flow.netlist import Netlist, write_netlist
from finn_flow.simulation.accelerator import LOGITS, SimulatedAccelerator, steady_state_cycles
from finn_flow.simulation.check import check_accelerator
from finn_flow.simulation.stream_values import stream_values
from finn_flow.transformations.insert_fifos import SetFIFODepths
from finn_flow.verilator import Stall
from tests.finn_flow.fifo_sizing.fifo_names import fifos
from tests.finn_flow.netlist.one_block import CLOCK_NS, FRAMES, PART, one_block

CYCLES_PER_FRAME = 288
LOOP_WEIGHTS = "ODELoop_rtl_0_MVAU_rtl_0_memblock.dat"


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_netlist_gives_the_logits_of_brevitas(seed) -> None:
    stall = Stall.none() if seed is None else Stall.random(0.3, 0.3, seed)
    result = check_accelerator(one_block().folder, stall=stall)
    assert (result.frames, result.mismatches, result.first_mismatch) == (FRAMES, 0, None)
    if seed is None:
        assert result.cycles_per_frame == CYCLES_PER_FRAME
        assert result.frames_per_second == pytest.approx(200e6 / CYCLES_PER_FRAME)


def test_results_are_kept_in_the_build(tmp_path) -> None:
    folder = one_block().copy(tmp_path / "build")
    free = check_accelerator(folder, frames=5)
    stalled = check_accelerator(folder, frames=4, stall=Stall.random(0.2, 0.2, 3), seed=3)
    kept = {paused: json.loads(BuildFolder(folder).simulation(paused).read_text()) for paused in (False, True)}
    assert kept[False] == {**free.to_json(), "stall": 0.0, "seed": 1}
    assert kept[True] == {**stalled.to_json(), "stall": 0.2, "seed": 3}


def test_images_are_no_trivial_case() -> None:
    assert len(np.unique(one_block().golden.logits.argmax(axis=1))) > 1


def test_frames_one_at_a_time_are_right_and_sooner_through() -> None:
    block = one_block()
    with SimulatedAccelerator(block.netlist) as accelerator:
        crowd = accelerator.run(block.golden.inputs)
        alone = accelerator.run(block.golden.inputs[:6], frames_in_flight=1)
    np.testing.assert_array_equal(alone.results[LOGITS], crowd.results[LOGITS][:6])
    distances = np.diff(alone.frame_end_cycles)
    assert len(set(distances)) == 1
    # The padding of the next frame is made while this one is under way, so later frames are a little faster.
    assert alone.first_frame_latency_cycles - 20 <= distances[0] <= alone.first_frame_latency_cycles + 2
    assert alone.netlist.patience_cycles > alone.first_frame_latency_cycles


@pytest.mark.parametrize("cycle", [50, 400, 1000])
def test_after_a_reset_in_mid_frame_everything_is_right(cycle) -> None:
    block = one_block()
    with SimulatedAccelerator(block.netlist) as accelerator:
        clean = accelerator.run(block.golden.inputs)
        again = accelerator.run(block.golden.inputs, reset_at_cycle=cycle, drain_cycles=2000)
    for name, values in clean.results.items():
        np.testing.assert_array_equal(again.results[name], values)
    np.testing.assert_array_equal(again.frame_end_cycles, clean.frame_end_cycles)
    assert again.result.streams["out0_V"].surplus_words == 0


def test_steady_state_takes_whole_groups() -> None:
    netlist = one_block().netlist  # two frames in flight
    ends = np.cumsum([573, *[432, 144] * 9, 432, 144, 296])
    assert steady_state_cycles(ends, netlist) == 288
    assert np.isnan(steady_state_cycles(ends[:2], netlist))
    loops = {name: replace(loop, frames_in_flight=3) for name, loop in netlist.loops.items()}
    assert steady_state_cycles(ends, replace(netlist, loops=loops)) == 288  # groups of two all the same


def test_without_golden_file_the_graph_itself_is_the_reference(tmp_path) -> None:
    folder = tmp_path / "moved"
    one_block().copy(folder)
    (folder / "golden.npz").unlink()
    result = check_accelerator(folder, frames=5)
    assert (result.frames, result.mismatches) == (5, 0)
    assert "random images" in result.golden


def wrong_weights(folder: Path) -> Path:
    """Return a copy of the build with one bit of one weight inside the loop turned."""
    one_block().copy(folder)
    path = folder / "rtl" / "data" / LOOP_WEIGHTS
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([f"{int(first, 16) ^ 1:0{len(first)}x}", *others]) + "\n")
    return folder


def mvau_streams(frame: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what goes into the loop's first matrix-vector unit in the first iteration, and what should come out."""
    block = one_block()
    graph = ModelWrapper(str(BuildFolder(block.folder).graph))
    passed = stream_values(block.netlist, graph, block.golden.inputs[frame])
    first = [value for value in passed if value.iteration == 0]
    (result,) = (value for value in first if value.stream.producer == "ODELoop_rtl_0_MVAU_rtl_0")
    (source,) = (value for value in first if value.stream.consumer == "ODELoop_rtl_0_MVAU_rtl_0")
    return source.values, result.values


def test_mismatch_names_node_index_count_and_lsbs(tmp_path) -> None:
    lines: list[str] = []
    result = check_accelerator(wrong_weights(tmp_path / "wrong"), frames=20, progress=lines.append)
    assert 0 < result.mismatches <= 20
    difference = result.first_mismatch["difference"]
    assert difference["node"] == "ODELoop_rtl_0_MVAU_rtl_0"
    assert difference["iteration"] == 0
    # Of the first weight the lowest bit is turned, so the first output is off by plus or minus its first input.
    inputs, outputs = mvau_streams(result.first_mismatch["frame"])
    off = np.zeros_like(outputs)
    off[..., 0] = inputs[..., 0]
    index = tuple(difference["index"])
    assert index == tuple(np.argwhere(off)[0])
    assert difference["count"] == np.count_nonzero(off)
    assert difference["lsbs"] == np.abs(off).max()
    assert difference["expected"] == outputs[index]
    assert abs(difference["got"] - outputs[index]) == abs(off[index])
    assert "the frame alone: ODELoop_rtl_0_MVAU_rtl_0 in iteration 0: " in result.first_mismatch["message"]
    assert any("is wrong; looking where" in line for line in lines)


def test_hang_names_the_streams_that_stopped(tmp_path) -> None:
    block = one_block()
    depths = dict.fromkeys(fifos(block.sized), 2)
    shutil.copy(block.folder / "golden.npz", tmp_path)
    write_netlist(block.sized.transform(SetFIFODepths(depths)), tmp_path / "rtl", PART, CLOCK_NS)
    with pytest.raises(FlowError, match="hangs") as error:
        check_accelerator(tmp_path, frames=2)
    message = str(error.value)
    assert "output out0_V: 0 of 2 words produced" in message
    assert "streams that stopped short:" in message
    assert "ODELoop_rtl_0_Fork_rtl_0 -> " in message
    assert "-> ODELoop_rtl_0_ODEUpdate_rtl_0" in message


# The command


def run_json(capsys, *arguments: str) -> tuple[int, dict]:
    status = main(["simulate", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_command_prints_what_was_measured(capsys) -> None:
    status, report = run_json(capsys, str(one_block().folder), "--frames", "50", "--stall", "0.2", "--seed", "7")
    assert status == 0
    assert (report["frames"], report["mismatches"], report["stall"], report["seed"]) == (50, 0, 0.2, 7)
    assert report["cycles_per_frame"] >= CYCLES_PER_FRAME
    assert report["first_frame_latency_cycles"] > 0
    assert report["simulated_cycles_per_second"] > 0
    assert report["first_mismatch"] is None
    assert main(["simulate", str(one_block().folder)]) == 0
    text = capsys.readouterr().out
    assert "mismatches" in text
    assert "cycles per frame" in text


def test_command_fails_on_a_mismatch(capsys, tmp_path) -> None:
    folder = wrong_weights(tmp_path / "wrong")
    status, report = run_json(capsys, str(folder), "--frames", "20")
    assert status == 1
    assert report["mismatches"] > 0
    assert report["first_mismatch"]["difference"]["node"] == "ODELoop_rtl_0_MVAU_rtl_0"
    assert main(["simulate", str(folder), "--frames", "20"]) == 1
    assert "differs: the frame alone: ODELoop_rtl_0_MVAU_rtl_0" in capsys.readouterr().out.replace("\n", " ")


def golden_with(path: Path, **changes) -> Path:
    arrays = dict(np.load(one_block().folder / "golden.npz")) | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": np.zeros((40, 8, 8, 1), np.uint8)}, "inputs must be uint8 [N, 8, 6, 1] for this accelerator"),
        ({"inputs": np.zeros((40, 8, 5, 1), np.float32)}, "values must have shape [N, 1, 8, 6], not [40, 8, 5, 1]"),
        ({"inputs": np.zeros((40, 8, 6, 1), bool)}, "inputs must be uint8"),
        ({"inputs": np.zeros((0, 8, 6, 1), np.uint8)}, "inputs must be uint8"),
        ({"predicted": np.zeros(39, np.int64)}, "one row per image, not [40, 10] and [39] for 40 images"),
        (
            {"logits": 1 / 3 + np.eye(10)[one_block().golden.logits.argmax(axis=1)]},
            "so it was made for another network",
        ),
        ({"logits": None}, "not a golden file of `dsode export`: logits is missing"),
    ],
)
def test_golden_file_that_does_not_fit(changes, message, capsys, tmp_path) -> None:
    path = golden_with(tmp_path / "golden.npz", **changes)
    assert main(["simulate", str(one_block().folder), "--golden", str(path)]) == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert message in error


def test_other_bad_input(capsys, tmp_path) -> None:
    folder = str(one_block().folder)
    not_golden = tmp_path / "golden.npz"
    not_golden.write_text("nothing")
    for arguments, message in (
        ([str(tmp_path)], "holds no netlist"),
        ([str(tmp_path / "nowhere")], "holds no netlist"),
        ([folder, "--golden", str(tmp_path / "no.npz")], "no such golden file"),
        ([folder, "--golden", str(not_golden)], "not a golden file"),
        ([folder, "--frames", "0"], "--frames"),
        ([folder, "--stall", "1"], "--stall must be at least 0 and below 1, not 1.0"),
    ):
        assert main(["simulate", *arguments]) == 2
        assert message in capsys.readouterr().err


def test_missing_compiler_is_named(capsys, tmp_path, monkeypatch) -> None:
    folder = str(one_block().folder)
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert main(["simulate", folder]) == 1
    assert "no C++ compiler found" in capsys.readouterr().err


def test_loading_does_not_depend_on_the_working_directory(tmp_path, monkeypatch) -> None:
    folder = one_block().copy(tmp_path / "build")
    monkeypatch.chdir(tmp_path)
    with SimulatedAccelerator(Netlist.load(Path("build/rtl"))) as accelerator:
        run = accelerator.run(one_block().golden.inputs[:3])
    scale = one_block().netlist.results[0].scale[0]
    np.testing.assert_array_equal(run.results[LOGITS] * scale, one_block().golden.logits[:3])
    assert folder.is_dir()
