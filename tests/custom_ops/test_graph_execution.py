"""Tensors that nobody asks for are dropped, and what is kept is the same."""

import numpy as np
import pytest

from custom_ops.graph_execution import run_nodes
from tests.finn_flow.transformations.qonnx_graphs import ode_net


@pytest.fixture(scope="module")
def model():
    return ode_net((3,), channels=4, size=4, state_output=False)


@pytest.fixture(scope="module")
def inputs(model):
    name = model.graph.input[0].name
    codes = np.random.default_rng(0).integers(0, 256, model.get_tensor_shape(name))
    return {name: (codes / 256).astype(np.float32)}


def test_what_is_kept_is_the_same(model, inputs):
    everything = run_nodes(model, inputs)
    names = {node.output[0] for node in model.graph.node[::3]} | {model.graph.output[0].name}
    kept = run_nodes(model, inputs, names)
    assert kept.keys() == names
    assert all(np.array_equal(kept[name], everything[name]) for name in names)


def test_the_others_are_dropped_after_their_last_use(model, inputs, monkeypatch):
    counts = []

    def execute_node(node, context, graph, opset):
        counts.append(sum(name in context for other in model.graph.node for name in other.input if name in produced))
        original(node, context, graph, opset)

    produced = {name for node in model.graph.node for name in node.output}
    original = run_nodes.__globals__["execute_node"]
    monkeypatch.setitem(run_nodes.__globals__, "execute_node", execute_node)
    run_nodes(model, inputs, {model.graph.output[0].name})
    assert counts[0] > counts[-1]
    assert counts[-1] <= 2
