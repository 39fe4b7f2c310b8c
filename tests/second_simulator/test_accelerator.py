"""A whole accelerator in a second simulator: every logit, under pauses and after a reset in mid-frame."""

import numpy as np
import pytest

from finn_flow.netlist.emit import Instruments, tap_name
from finn_flow.simulation.accelerator import input_words, output_values, selected_streams
from tests.finn_flow.netlist.one_block import one_block
from tests.second_simulator.cxxrtl import SecondSimulation

FRAMES = 6


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> SecondSimulation:
    netlist = one_block().netlist
    design = netlist.design(Instruments(taps=selected_streams(netlist)), tmp_path_factory.mktemp("instruments"))
    return SecondSimulation(design, tmp_path_factory.mktemp("cxxrtl"))


@pytest.mark.parametrize("reset", [0, 200, 501])
def test_every_logit_is_that_of_brevitas(simulation: SecondSimulation, reset: int) -> None:
    block = one_block()
    netlist, golden = block.netlist, block.golden
    ((source, stream),) = netlist.inputs.items()
    ((sink, labels),) = netlist.outputs.items()
    (key,) = selected_streams(netlist)
    values = netlist.modules[key[0]].streams[key[1]]
    words = {sink: FRAMES * labels.words, tap_name(*key): FRAMES * values.words}
    found = simulation.run(
        {source: input_words(stream, golden.inputs[:FRAMES])},
        words,
        seed=reset,
        reset_at_cycle=reset,
        unhindered=frozenset({tap_name(*key)}),
    )
    logits = output_values(values, found[tap_name(*key)]).reshape(FRAMES, -1)
    np.testing.assert_array_equal(output_values(labels, found[sink]).ravel(), golden.logits[:FRAMES].argmax(axis=1))
    (form,) = netlist.results
    np.testing.assert_array_equal(logits * np.float32(form.scale[0]), golden.logits[:FRAMES])
