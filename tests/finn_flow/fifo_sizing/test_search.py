"""FIFO depths: the policy, the transformations, and what sizing found for a small accelerator."""

from pathlib import Path

import numpy as np
import pytest
from qonnx.custom_op.registry import getCustomOp

from custom_ops.ode_loop.schedule import choose_frames_in_flight
from finn_flow.execution import execute_hardware
from finn_flow.fifo_sizing.bench import SizingBench
from finn_flow.fifo_sizing.sizes import depth_candidates, fifo_depth
from finn_flow.netlist.netlist import INSTRUMENT_SOURCES
from finn_flow.netlist.write import write_netlist
from finn_flow.simulation.accelerator import SimulatedAccelerator
from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.transformations.insert_fifos import InsertFIFOs, SetFIFODepths
from finn_flow.transformations.name_nodes import NameNodes
from finn_flow.verilator import Stall, lint
from tests.finn_flow.fifo_sizing.fifo_names import fifos
from tests.finn_flow.netlist.one_block import CLOCK_NS, PART, one_block

FRAMES = 12


@pytest.mark.parametrize(
    ("occupancy", "depth"),
    [(0, 0), (1, 0), (2, 0), (3, 33), (33, 33), (34, 65), (129, 129), (130, 257), (257, 257), (258, 258), (900, 900)],
)
def test_depths_are_the_next_size_of_the_same_cost(occupancy: int, depth: int) -> None:
    assert fifo_depth(occupancy) == depth


def test_candidates_only_grow() -> None:
    words = {"a": 100, "b": 400, "c": 1}
    candidates = depth_candidates({"a": 1, "b": 150, "c": 2}, words)
    assert candidates[0] == {"a": 0, "b": 257, "c": 0}
    assert candidates[-1] == {"a": 200, "b": 800, "c": 2}
    for name in words:
        depths = [candidate[name] for candidate in candidates[:-1]]
        assert depths == sorted(depths)
        assert all(depth == 0 or depth >= 2 for depth in depths)


@pytest.mark.parametrize("source", INSTRUMENT_SOURCES, ids=lambda source: source.stem)
def test_instruments_lint_alone(source: Path) -> None:
    lint(source.stem, [source])


def test_inserting_and_taking_out_changes_no_value() -> None:
    block = one_block()
    frames = block.golden.inputs[:5]
    expected = execute_hardware(block.folded, frames)
    deep = block.folded.transform(InsertFIFOs()).transform(NameNodes())
    graphs = [block.folded, *map(loop_body, loops(block.folded))]
    # One FIFO per tensor between two nodes: a graph's outputs have none.
    assert len(fifos(deep)) == sum(len(node.output) for graph in graphs for node in graph.graph.node) - len(graphs)
    assert fifos(deep.transform(InsertFIFOs()).transform(NameNodes())) == fifos(deep)
    none = deep.transform(SetFIFODepths(dict.fromkeys(fifos(deep), 0)))
    assert fifos(none) == []
    for model in (deep, none):
        found = execute_hardware(model, frames)
        np.testing.assert_array_equal(found["logits"], expected["logits"])
        np.testing.assert_array_equal(found["labels"], expected["labels"])


def test_sized_accelerator() -> None:
    block = one_block()
    sizes = block.sizes
    depths = {fifo.name: fifo.depth for fifo in sizes.fifos}
    assert fifos(block.sized) == [name for name, depth in depths.items() if depth]
    assert {node.name: node.fifo_depth for node in block.netlist.fifos()} == {n: d for n, d in depths.items() if d}
    assert all(fifo.depth == 0 or fifo.depth >= fifo.max_occupancy for fifo in sizes.fifos)
    (loop,) = sizes.loops
    assert sizes.expected_cycles_per_frame == loop.iterations * loop.body_ii_cycles == 2 * 8 * 6 * 3
    assert sizes.cycles_per_frame == sizes.expected_cycles_per_frame == sizes.reference_cycles_per_frame
    assert loop.frames_in_flight == choose_frames_in_flight(loop.body_latency_cycles, loop.body_ii_cycles) == 2
    assert block.netlist.loops[loop.name].frames_in_flight == 2


def test_bypass_of_the_residual_holds_more_than_the_path_beside_it_waits_for() -> None:
    block = one_block()
    body = loop_body(next(loops(block.folded)))
    fork = body.get_nodes_by_op_type("Fork_rtl")[0]
    update = body.get_nodes_by_op_type("ODEUpdate_rtl")[0]
    (bypass,) = set(fork.output) & set(update.input)
    (size,) = [fifo for fifo in block.sizes.fifos if fifo.tensor == bypass]
    # Two 3x3 convolutions of 6 pixels a row: each waits for a row and a pixel.
    assert size.max_occupancy > 2 * (6 + 1) * 3
    assert size.depth >= size.max_occupancy


@pytest.mark.parametrize("seed", [0, 1])
def test_bench_takes_the_same_time_as_a_netlist_with_such_fifos(seed: int, tmp_path: Path) -> None:
    block = one_block()
    generator = np.random.default_rng(seed)
    deep = block.folded.transform(InsertFIFOs()).transform(NameNodes())
    for node in loops(deep):
        getCustomOp(node).set_nodeattr("frames_in_flight", block.sizes.loops[0].frames_in_flight)
    depths = {fifo.name: int(generator.choice([fifo.depth, fifo.depth + 5, 70, 200])) for fifo in block.sizes.fifos}
    netlist = write_netlist(deep.transform(SetFIFODepths(depths)), tmp_path, PART, CLOCK_NS, carries_data=False)
    frames = np.zeros((FRAMES, *next(iter(netlist.inputs.values())).shape[1:]), int)
    with SizingBench(deep, PART, CLOCK_NS) as bench, SimulatedAccelerator(netlist) as accelerator:
        for stall in (Stall.none(), Stall.random(0.2, 0.5, seed, burst_cycles=40)):
            expected = accelerator.run(frames, stall=stall).frame_end_cycles.tolist()
            assert bench.run(FRAMES, depths, stall=stall).frame_end_cycles.tolist() == expected
