"""Golden results as they are read."""

import numpy as np

from finn_flow.simulation.golden import load_golden
from tests.finn_flow.netlist.one_block import one_block


def test_of_equal_codes_the_first_is_the_label_whatever_float32_makes_of_them(tmp_path) -> None:
    block = one_block()
    arrays = dict(np.load(block.folder / "golden.npz"))
    scale = np.float32(block.netlist.results[0].scale[0])
    logits = np.zeros_like(arrays["logits"])
    logits[:, [3, 5]] = 7 * scale
    logits[:, 5] += scale * np.float32(1e-4)  # as the order of a sum may leave it
    path = tmp_path / "golden.npz"
    np.savez(path, **{**arrays, "logits": logits, "predicted": np.full(len(logits), 5)})
    golden = load_golden(path, block.netlist)
    assert set(golden.labels[:, 0].tolist()) == {3}
    np.testing.assert_array_equal(golden.logits[:, [3, 5]], 7)
