"""UnrollODEBlocks: the inverse of rolling, with shared and with separate weights."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import FlowError
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from finn_flow.transformations.unroll_ode_blocks import UnrollODEBlocks
from tests.finn_flow.transformations.qonnx_graphs import assert_same_execution, loop_bodies, loop_iterations, ode_net


def rolled(*iterations: int, **options: object) -> ModelWrapper:
    return RollODEBlocks().apply(ode_net(iterations, **options))[0]


def contents(model: ModelWrapper) -> tuple:
    """Return nodes, constants, shapes and operator sets, in an order that does not depend on how they were added."""
    graph = model.graph
    return (
        [node.SerializeToString() for node in graph.node if node.op_type != "ODELoop"],
        [(list(n.input), list(n.output), n.name) for n in graph.node],
        *(sorted(e.SerializeToString() for e in f) for f in (graph.initializer, graph.value_info, graph.input)),
        model.get_opset_imports(),
        [contents(body) for body in loop_bodies(model)],
        loop_iterations(model),
    )


@settings(max_examples=6)
@given(
    iterations=st.lists(st.integers(2, 3), min_size=1, max_size=2),
    style=st.sampled_from(["ds", "dense", "matmul"]),
    time_bias=st.booleans(),
    quantised_weights=st.booleans(),
    noise=st.booleans(),
    duplicate_weights=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_rolling_again_gives_the_same_loops(iterations, duplicate_weights, **options):
    model = rolled(*iterations, **options)
    unrolled = model.transform(UnrollODEBlocks(duplicate_weights), cleanup=False)
    assert loop_iterations(unrolled) == []
    assert_same_execution(model, unrolled)
    again = unrolled.transform(RollODEBlocks(), cleanup=False)
    assert contents(again) == contents(model)


def test_unrolling_restores_the_graph():
    model = ode_net((3, 2))
    unrolled, _ = UnrollODEBlocks().apply(RollODEBlocks().apply(ModelWrapper(model.model, make_deepcopy=True))[0])
    assert len(unrolled.graph.node) == len(model.graph.node)
    assert sorted(n.op_type for n in unrolled.graph.node) == sorted(n.op_type for n in model.graph.node)
    assert unrolled.get_opset_imports() == model.get_opset_imports()


@pytest.mark.parametrize(("duplicate_weights", "readers"), [(False, 3), (True, 1)])
def test_weight_quantisers_are_forks_unless_duplicated(duplicate_weights, readers):
    unrolled = rolled(3, style="dense").transform(UnrollODEBlocks(duplicate_weights), cleanup=False)
    block_weights = [n.input[1] for n in unrolled.get_nodes_by_op_type("Conv")][1:]
    assert len(set(block_weights)) == (2 if readers == 3 else 6)
    assert {len(unrolled.find_consumers(name)) for name in block_weights} == {readers}


def test_without_loops_nothing_changes():
    model = ode_net((2,))
    text = model.model.SerializeToString()
    same, changed = UnrollODEBlocks().apply(model)
    assert not changed
    assert same.model.SerializeToString() == text


def test_parameters_must_be_constants():
    model = rolled(2)
    (loop,) = model.get_nodes_by_op_type("ODELoop")
    loop.input[1] = "x"
    with pytest.raises(FlowError, match="ODELoop_0: parameter 'x' must be an initialiser"):
        UnrollODEBlocks().apply(model)
