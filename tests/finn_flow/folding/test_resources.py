"""Estimates of a node."""

import pytest
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.estimates.boards import board_resources
from finn_flow.estimates.memories import node_resources
from finn_flow.folding.options import apply_folding, legal_foldings
from finn_flow.folding.resources import cost
from tests.finn_flow.folding.small_networks import PART, all_nodes, small_hardware


def test_small_products_share_dsps_by_fours():
    node = next(node for node, passes in all_nodes(small_hardware()) if node.op_type == "MVAU_rtl" and passes > 1)
    counts = {}
    for folding in legal_foldings(node):
        apply_folding(node, folding)
        counts[folding["PE"], folding["SIMD"]] = node_resources(node, PART)["DSP"]
    assert [getCustomOp(node).get_input_datatype(i).bitwidth() for i in (0, 1)] == [4, 4]
    assert counts == {(pe, simd): simd for pe, simd in counts}


@pytest.mark.parametrize("style", ["ds", "dense"])
def test_every_node_at_any_folding_takes_something(style):
    for node, _ in all_nodes(small_hardware(style)):
        for folding in legal_foldings(node):
            apply_folding(node, folding)
            found = node_resources(node, PART)
            assert min(found.values()) >= 0
            assert found["LUT"] > 0
            assert found["LUTRAM"] <= found["LUT"]


def test_cost_is_the_sum_of_shares_in_luts():
    available = board_resources("ZCU104")
    assert cost({"LUT": 10.0}, available) == 10
    assert cost({"DSP": 1728.0, "URAM": 48.0}, available) == pytest.approx((1 / 3 + 1 / 2) * 230_400)


def test_unknown_board():
    with pytest.raises(UserError, match="`board` must be one of ZCU104, not 'U250'"):
        board_resources("U250")
