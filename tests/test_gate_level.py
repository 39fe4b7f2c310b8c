"""A whole accelerator as open synthesis maps it, with models of the cells, gives Brevitas's logits."""

from pathlib import Path

import numpy as np

from finn_flow.netlist.emit import Instruments, tap_name
from finn_flow.simulation.accelerator import input_words, output_values, selected_streams
from finn_flow.verilator import Stall, simulate
from tests.finn_flow.netlist.one_block import one_block
from tests.gate_level import gate_level

FRAMES = 6


def test_every_logit_under_stalls_and_after_a_reset_in_mid_frame(tmp_path: Path) -> None:
    """FINN's matrix-vector units are in it as instances of DSP48E2 and LUT6_2, with their parameters and registers."""
    netlist, golden = one_block().netlist, one_block().golden
    ((source, stream),) = netlist.inputs.items()
    ((sink, labels),) = netlist.outputs.items()
    (key,) = selected_streams(netlist)
    values = netlist.modules[key[0]].streams[key[1]]
    instruments = Instruments(taps=frozenset({key}))
    rtl = netlist.design(instruments, tmp_path)
    gates = gate_level(rtl, tmp_path)
    text = gates.sources[0].read_text()
    assert text.count("DSP48E2 #(") >= 18
    assert text.count("LUT6_2 #(") > 0
    results = [
        simulate(
            design,
            {source: input_words(stream, golden.inputs[:FRAMES])},
            {sink: FRAMES * labels.words, tap_name(*key): FRAMES * values.words},
            stall=Stall(0.3, 0.3, seed=1, patterns={tap_name(*key): (False,)}),
            random_seed=3,
            reset_at_cycle=500,
            max_idle_cycles=netlist.patience_cycles,
        )
        for design in (rtl, gates)
    ]
    (form,) = netlist.results
    for result in results:
        found = output_values(values, result.outputs[tap_name(*key)]).reshape(FRAMES, -1)
        np.testing.assert_array_equal(found * np.float32(form.scale[0]), golden.logits[:FRAMES])
        np.testing.assert_array_equal(
            output_values(labels, result.outputs[sink]).ravel(), golden.logits[:FRAMES].argmax(axis=1)
        )
    # In every cycle, too.
    assert results[0].cycles == results[1].cycles
