"""Adapting: the golden chain with new statistics, no frame with two sets of parameters, the driver on a board."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finn_flow.deployment.driver.adaptation import adapt, check_codes
from finn_flow.deployment.driver.errors import InputError
from finn_flow.deployment.driver.network import Parameters
from finn_flow.deployment.driver.parameters import MULTIPLIER, OFFSET_HIGH, OFFSET_LOW, ROW, SWITCH
from finn_flow.deployment.driver.statistics import Estimate, built_in, parameters_of
from finn_flow.deployment.network_description import DESCRIBERS
from finn_flow.deployment.package import make_package
from finn_flow.deployment.simulated_board.control_port import ControlPort
from finn_flow.deployment.simulated_board.run_driver import run_driver
from finn_flow.errors import UserError
from finn_flow.execution import execute_hardware
from finn_flow.export.batch_norms import exchange_statistics
from finn_flow.export.network import make_golden, verify
from finn_flow.export.qonnx import to_qonnx
from finn_flow.netlist.parameter_bus import PORT
from finn_flow.simulation.accelerator import LOGITS, SimulatedAccelerator, input_words, output_values
from finn_flow.steps.adaptation import step_make_parameters_writable
from finn_flow.transformations.alternatives import other_types
from finn_flow.transformations.batch_norms import BATCH_NORMS, NORMALISATIONS
from finn_flow.transformations.bodies import loops
from finn_flow.transformations.exchange_statistics import ExchangeStatistics
from finn_flow.transformations.unroll_bodies import legal_bodies
from finn_flow.verilator import Stall, simulate
from tests.finn_flow.deployment.adaptive import Adaptive, adaptive, hardware_graph


@pytest.fixture(scope="module")
def accelerator() -> Adaptive:
    return adaptive()


@pytest.fixture(scope="module")
def estimate(accelerator: Adaptive) -> Estimate:
    network = accelerator.network
    return adapt(network, accelerator.images, built_in(network), network.built_in()).estimate


def test_numpy_gives_brevitas_logits(accelerator: Adaptive) -> None:
    golden = accelerator.golden
    labels, values = accelerator.network.run(golden.inputs, accelerator.network.built_in())
    assert np.array_equal(values * np.float32(accelerator.network.scale), golden.logits)
    assert np.array_equal(labels[:, 0], golden.logits.argmax(axis=1))


def test_built_in_statistics_have_the_built_in_parameters(accelerator: Adaptive) -> None:
    network = accelerator.network
    statistics, parameters, limited = parameters_of(network, built_in(network))
    assert limited == 0
    for name, (mean, variance) in built_in(network).items():
        assert np.array_equal(statistics[name][0], mean) and np.array_equal(statistics[name][1], variance)
        for found, expected in zip(parameters[name], network.built_in()[name], strict=True):
            assert np.array_equal(found, expected)


def test_golden_chain_with_new_statistics(accelerator: Adaptive, estimate: Estimate) -> None:
    """Brevitas = QONNX = hardware graph = NumPy; the netlist is held against NumPy below."""
    network = accelerator.network
    brevitas = copy.deepcopy(accelerator.brevitas)
    exchange_statistics(brevitas, built_in(network), estimate.statistics)
    golden = make_golden(brevitas, accelerator.images)
    assert not np.array_equal(golden.logits, make_golden(accelerator.brevitas, accelerator.images).logits)
    assert np.array_equal(estimate.values * np.float32(network.scale), golden.logits)
    verify(to_qonnx(brevitas), golden)
    exchanged = ExchangeStatistics(built_in(network), estimate.statistics)
    verify(to_qonnx(accelerator.brevitas).transform(exchanged), golden)
    found = execute_hardware(hardware_graph(brevitas, writable=False), golden.inputs)[LOGITS]
    assert np.array_equal(found.reshape(estimate.values.shape), estimate.values)


def writes(accelerator: Adaptive, parameters: Parameters) -> list[tuple[int, int]]:
    """Return offset and value of each access that writes parameters and takes them into use."""
    accesses = []
    for name, node in accelerator.network.writable.items():
        for place in np.ndindex(node.rows.shape):
            multiplier, offset = (int(part[place]) for part in parameters[name])
            accesses += [(ROW, int(node.rows[place])), (MULTIPLIER, multiplier)]
            accesses += [(OFFSET_LOW, offset & 0xFFFFFFFF), (OFFSET_HIGH, offset >> 32 & 0xFFFF)]
    return [*accesses, (SWITCH, 1)]


@pytest.mark.parametrize("pause", [0, 3, 11], ids=lambda pause: f"{pause} cycles between writes")
def test_no_frame_sees_two_sets_of_parameters(accelerator: Adaptive, estimate: Estimate, pause: int) -> None:
    """Parameters are written while frames flow: each frame has all of the old or, later, all of the new ones."""
    netlist, network = accelerator.netlist, accelerator.network
    (source_name, source), *_ = netlist.inputs.items()
    frames = np.concatenate([accelerator.images] * 4)
    old = network.run(frames, network.built_in())[1]
    new = network.run(frames, estimate.parameters)[1]
    assert (old != new).any(axis=1).all()
    accesses = writes(accelerator, estimate.parameters)
    with SimulatedAccelerator(netlist) as simulated:
        design = ControlPort.extend(simulated.design)
        taps = simulated.instruments.taps
        (tap,) = (stream for stream in design.outputs if stream.name.startswith("tap_"))
        stream = netlist.graph_streams()[next(iter(taps))]
        words = {
            source_name: input_words(source, frames),
            f"{PORT}_aw": np.array([[offset] for offset, _ in accesses], np.uint8),
            f"{PORT}_w": np.array([list(value.to_bytes(4, "little")) for _, value in accesses], np.uint8),
            f"{PORT}_ar": np.zeros((0, 1), np.uint8),
        }
        (out_name, sink), *_ = netlist.outputs.items()
        expected = {
            out_name: len(frames) * sink.words,
            tap.name: len(frames) * stream.words,
            f"{PORT}_b": len(accesses),
            f"{PORT}_r": 0,
        }
        per_frame = {source_name: source.words, out_name: sink.words, tap.name: stream.words}
        result = simulate(
            design,
            words,
            expected,
            words_per_frame=per_frame,
            stall=Stall.pattern({f"{PORT}_aw": (False, *[True] * pause)}),
            max_idle_cycles=netlist.patience_cycles,
        )
    found = output_values(stream, result.outputs[tap.name]).reshape(old.shape)
    changed = int((found == old).all(axis=1).sum())
    assert 0 < changed < len(frames)
    assert np.array_equal(found, np.concatenate([old[:changed], new[changed:]]))


def test_driver_on_the_board(accelerator: Adaptive, estimate: Estimate, tmp_path: Path) -> None:
    build = Path(shutil.copytree(accelerator.folder, tmp_path / "build"))
    make_package(build)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, image in enumerate(accelerator.images):
        Image.fromarray(image[:, :, 0]).save(pictures / f"{number:02d}.png")

    def driver(*arguments: str) -> tuple[int, dict[str, object]]:
        done = run_driver(build, [*arguments, "--json"], capture=True)
        return done.returncode, json.loads(done.stdout) if done.stdout else {}

    # The scores of an untrained network say nothing.
    status, result = driver("adapt", str(pictures), "--save", "indoor.profile", "--force")
    assert status == 0 and result["profile"] == "indoor" and result["images"] == len(accelerator.images)
    _, result = driver("classify", str(pictures))
    labels = [image["classes"] for image in result["images"]]  # type: ignore[attr-defined]
    assert labels == estimate.labels.tolist()
    status, result = driver("validate")
    assert status == 0 and result["profile"] == "indoor" and not result["mismatches"]
    assert driver("profiles")[1]["in_use"] == "indoor"
    assert driver("reset")[0] == 0
    status, result = driver("validate")
    assert status == 0 and result["profile"] is None
    # Nothing to learn from: one line, and nothing is changed.
    status, _ = driver("adapt", str(pictures / "00.png"))
    assert status == 2 and driver("profiles")[1]["in_use"] is None


def test_whatever_the_folding_chooses_the_driver_runs() -> None:
    for op_type in ("MVAU_rtl", "Thresholding_rtl", "IndexedThresholding_rtl"):
        assert {op_type, *other_types(op_type)} <= set(DESCRIBERS)


def test_loops_with_writable_parameters_keep_one_body(accelerator: Adaptive) -> None:
    (loop,) = loops(accelerator.netlist.graph())
    assert legal_bodies(loop) == [1]


def test_pictures_that_say_nothing(accelerator: Adaptive) -> None:
    with pytest.raises(InputError, match="1 pictures say too little about the surroundings; give at least 8"):
        check_codes(accelerator.images[:1])
    with pytest.raises(InputError, match="only 1 of the 24 pictures differ; give at least 8 different ones"):
        check_codes(np.repeat(accelerator.images[:1], 24, axis=0))


def test_a_model_that_does_not_say_enough(accelerator: Adaptive) -> None:
    model = hardware_graph(accelerator.brevitas, writable=False)
    kept = [prop for prop in model.graph.metadata_props if prop.key not in (BATCH_NORMS, NORMALISATIONS)]
    del model.graph.metadata_props[:]
    model.graph.metadata_props.extend(kept)
    with pytest.raises(Exception, match="does not say what its batch-norms were computed from") as caught:
        step_make_parameters_writable(model, None)
    assert isinstance(caught.value.__cause__, UserError)
