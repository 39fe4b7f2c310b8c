"""FIFO depths: the policy, the transformations, and what sizing found for a small accelerator."""

import numpy as np
import pytest

from custom_ops.ode_loop.schedule import choose_frames_in_flight
from finn_flow.execution import execute_hardware
from finn_flow.netlist.fifo_sizes import depth_candidates, fifo_depth
from finn_flow.netlist.netlist import PACER_SOURCE
from finn_flow.simulation import lint
from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.transformations.insert_fifos import FIFO, InsertFIFOs, SetFIFODepths
from finn_flow.transformations.name_nodes import NameNodes
from tests.netlist.one_block import one_block


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


def test_pacer_lints_alone() -> None:
    lint("stream_pacer", [PACER_SOURCE])


def fifos(model) -> list[str]:
    bodies = [loop_body(node) for node in loops(model)]
    return [node.name for graph in (model, *bodies) for node in graph.graph.node if node.op_type == FIFO]


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
