"""Quick estimates against figures that open synthesis gave, stored here: LUTs within 25 %, all else exactly."""

import numpy as np
import pytest

from finn_flow.estimates.nodes import dsp_lanes, estimate_node
from tests.finn_flow.finn_adapter.finn_nodes import PART, Node


def mvau(pe, simd, rows, columns, input_bits=4):
    sum_bits = 4 + input_bits + int(np.ceil(np.log2(rows))) - 1
    types = {"inputDataType": f"UINT{input_bits}", "weightDataType": "INT4", "outputDataType": f"INT{sum_bits}"}
    attributes = {"MW": rows, "MH": columns, "PE": pe, "SIMD": simd, "numInputVectors": [1, 4, 4], **types}
    attributes |= {"accDataType": f"INT{sum_bits}", "noActivation": 1, "mem_mode": "internal_decoupled"}
    weights = np.random.default_rng(1).integers(-7, 8, (rows, columns))
    shapes = (1, 4, 4, rows), f"UINT{input_bits}", (1, 4, 4, columns), f"INT{sum_bits}"
    return Node("MVAU_rtl", *shapes, attributes, weights, "INT4")


def thresholding(pe, channels, steps, bits):
    limit = 2 ** (bits - 1) - 1
    thresholds = np.sort(np.random.default_rng(1).integers(-limit, limit, (channels, steps)), axis=1)
    types = {"inputDataType": f"INT{bits}", "weightDataType": f"INT{bits}", "outputDataType": "UINT4"}
    attributes = {"NumChannels": channels, "PE": pe, "numSteps": steps, "numInputVectors": [1, 4, 4], **types}
    return Node(
        "Thresholding_rtl",
        (1, 4, 4, channels),
        f"INT{bits}",
        (1, 4, 4, channels),
        "UINT4",
        attributes,
        thresholds,
        f"INT{bits}",
    )


@pytest.mark.parametrize(
    ("node", "lut", "dsp", "bram36"),
    [
        (mvau(1, 1, 16, 16), 64, 1, 0),
        (mvau(4, 4, 16, 16), 378, 4, 0),
        (mvau(4, 8, 32, 32, input_bits=8), 758, 16, 0),
        (mvau(2, 4, 64, 64), 185, 4, 0.5),
        (mvau(1, 16, 64, 64), 277, 16, 1),
        (mvau(8, 8, 32, 32), 1258, 16, 0),
        (mvau(8, 8, 8, 8), 1078, 16, 0),
        (mvau(16, 16, 32, 32), 4117, 64, 0),
        (thresholding(1, 16, 15, 12), 112, 0, 0),
        (thresholding(16, 16, 15, 12), 829, 0, 0),
        (thresholding(4, 32, 15, 8), 252, 0, 0),
    ],
)
def test_estimates_of_finn_nodes(node, lut, dsp, bram36):
    model = node.model()
    estimate = estimate_node(model, model.graph.node[0], PART)
    assert estimate["LUT"] == pytest.approx(lut, rel=0.25)
    assert (estimate["DSP"], estimate["BRAM36"], estimate["URAM"]) == (dsp, bram36, 0)


def test_regular_thresholds_need_less():
    node = thresholding(1, 16, 15, 8)
    regular = Node(**{**vars(node), "constant": np.tile(16 * np.arange(-7, 8), (16, 1))})
    estimates = [estimate_node(one.model(), one.model().graph.node[0], PART)["LUT"] for one in (node, regular)]
    assert estimates[1] < estimates[0] / 1.5


@pytest.mark.parametrize(
    ("weight_bits", "input_bits", "narrow", "lanes"),
    [(4, 4, False, 4), (4, 8, False, 3), (8, 8, False, 2), (3, 4, False, 4), (3, 4, True, 5), (2, 2, False, 9)],
)
def test_products_per_dsp(weight_bits, input_bits, narrow, lanes):
    """As NUM_LANES of FINN's mvu.sv."""
    assert dsp_lanes(weight_bits, input_bits, narrow) == lanes
