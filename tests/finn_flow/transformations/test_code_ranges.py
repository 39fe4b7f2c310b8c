"""Ranges of codes against every value that whole networks take, and of flattened maps."""

import numpy as np
import pytest

from custom_ops.graph_execution import run_nodes
from finn_flow.transformations.bodies import index_tensor
from finn_flow.transformations.code_ranges import CodeRange, code_range
from tests.finn_flow.folding.small_networks import small_hardware


@pytest.mark.parametrize("style", ["ds", "dense"])
def test_no_value_is_outside(style):
    model = small_hardware(style)
    assert index_tensor(model) is None
    name = model.graph.input[0].name
    kind, shape = model.get_tensor_datatype(name), model.get_tensor_shape(name)
    rng = np.random.default_rng(1)
    for frame in (
        np.full(shape, kind.min()),
        np.full(shape, kind.max()),
        rng.integers(int(kind.min()), int(kind.max()), shape, endpoint=True),
    ):
        found = run_nodes(model, {name: frame.astype(np.float32)})
        checked = 0
        for node in model.graph.node:
            if node.output[0] in found:
                bounds, values = code_range(model, node.output[0]), found[node.output[0]]
                values = values.reshape(-1, values.shape[-1])
                assert np.all(values >= bounds.lowest)
                assert np.all(values <= bounds.highest)
                checked += 1
        assert checked == len(model.graph.node)


def test_a_flattened_map_repeats_its_channels():
    pixel = CodeRange(np.array([-1, 2]), np.array([3, 5]))
    flat = pixel.of_channels(4)
    assert (flat.lowest.tolist(), flat.highest.tolist()) == ([-1, 2, -1, 2], [3, 5, 3, 5])
    assert pixel.of_channels(3).lowest.tolist() == [-1, -1, -1]
    assert pixel.of_channels(3).highest.tolist() == [5, 5, 5]
