"""The accelerator over time: passes as the loop itself counts them, spans and FIFOs as the streams say."""

import numpy as np
import pytest

from finn_flow.errors import FlowError
from finn_flow.netlist.emit import Instruments
from finn_flow.simulation.accelerator import SimulatedAccelerator
from finn_flow.simulation.frames import random_frames
from finn_flow.simulation.passes import Pass, loop_passes
from finn_flow.simulation.timeline import record_timelines, timeline
from tests.finn_flow.netlist.one_block import one_block

FRAMES = 5


@pytest.fixture(scope="module")
def watched():
    """Return netlist and a run of five frames with all streams watched, those that carry the iteration too."""
    netlist = one_block().netlist
    taps = frozenset(netlist.graph_streams())
    with SimulatedAccelerator(netlist, Instruments(taps=taps)) as accelerator:
        return netlist, accelerator.run(random_frames(netlist, FRAMES, seed=1), record_transfers=True)


def test_passes_are_those_that_the_loop_counts(watched):
    netlist, run = watched
    (loop,) = netlist.loops.values()
    indices = [key for key in netlist.graph_streams() if key[1].startswith("index_")]
    assert indices
    found = timeline(netlist, run, FRAMES)
    for node in found.nodes:
        if node.loop:
            counted = run.taps[indices[0]].reshape(-1)
            assert [span.iteration for span in node.spans] == counted.tolist()
            assert sorted({span.frame for span in node.spans}) == list(range(FRAMES))
            assert len(node.spans) == FRAMES * loop.iterations


def test_spans_begin_and_end_with_the_words_of_a_pass(watched):
    netlist, run = watched
    found = timeline(netlist, run, FRAMES)
    ends = run.frame_end_cycles
    first = min(run.result.streams[name].first_cycle for name in netlist.inputs)
    assert [span.last_cycle for span in found.nodes[-1].spans] == (ends - first).tolist()
    assert found.cycles == int(ends[-1]) - first + 1
    for node in found.nodes:
        starts = [span.first_cycle for span in node.spans]
        assert starts == sorted(starts)
        assert all(0 <= span.first_cycle <= span.last_cycle < found.cycles for span in node.spans)


def test_fifos_hold_no_more_than_their_depth_and_not_nothing(watched):
    netlist, run = watched
    found = timeline(netlist, run, FRAMES)
    assert {fifo.name: fifo.depth for fifo in found.fifos} == {node.name: node.fifo_depth for node in netlist.fifos()}
    for fifo in found.fifos:
        assert 0 < max(fifo.occupancy) <= fifo.depth


def test_a_lone_frame_takes_the_latency(watched):
    netlist, run = watched
    (lone,) = record_timelines(netlist, (1,))
    assert lone.frames == 1
    assert lone.cycles == run.first_frame_latency_cycles + 1
    assert lone.to_json()["nodes"][0]["spans"][0][:2] == [0, 0]


def cycles(*starts, words=10):
    return np.concatenate([np.arange(start, start + words) for start in starts])


def test_two_frames_interleave():
    entering, leaving = cycles(0, 10, 20, 30), cycles(15, 25, 35, 45)
    found = loop_passes(entering, leaving, cycles(36, 46), iterations=2, frames=2)
    assert found == [Pass(0, 0), Pass(1, 0), Pass(0, 1), Pass(1, 1)]


def test_a_frame_that_is_back_goes_before_a_new_one():
    entering, leaving = cycles(0, 20, 40, 60), cycles(5, 25, 45, 65)
    found = loop_passes(entering, leaving, cycles(26, 66), iterations=2, frames=2)
    assert found == [Pass(0, 0), Pass(0, 1), Pass(1, 0), Pass(1, 1)]


def test_what_cannot_be_is_refused():
    with pytest.raises(FlowError, match="do not agree with what left it"):
        loop_passes(cycles(0, 20, 40, 60), cycles(5, 25, 45, 65), cycles(6, 26), iterations=2, frames=2)
