"""Multiplier utilisation."""

import re

import pytest

from finn_flow.folding.target import fold_for_cycles
from finn_flow.folding.utilisation import MultiplierUse, multiplier_use, total_use
from tests.finn_flow.folding.small_networks import small_hardware

BODY_ADDERS = "ODELoop_rtl_0_ConstantMatrix_rtl_0"


def test_work_is_the_networks_whatever_the_folding():
    work = []
    for cycles in (150, 1000):
        model = small_hardware()
        fold_for_cycles(model, cycles)
        uses = {use.name: use for use in multiplier_use(model)}
        # What takes the place of a unit does the same work.
        work.append({re.sub("ConstantMatrix|CascadeMVAU", "MVAU", name): use.macs for name, use in uses.items()})
        assert all(0 < use.utilisation(cycles) <= 1 for use in uses.values())
        adders = {name: use.multipliers for name, use in uses.items() if "ConstantMatrix" in name}
        assert adders == ({BODY_ADDERS: 4 * 4} if cycles == 150 else {})
    assert work[0] == work[1]
    # 4 x 4 pixels, 4 channels, 3 iterations; the stem sees 3 channels through 3 x 3, the head ends in 5 classes.
    assert work[0]["MVAU_rtl_0"] == 16 * 27 * 4
    assert work[0]["MVAU_rtl_1"] == 4 * 5
    assert work[0]["ODELoop_rtl_0_MVAU_rtl_0"] == 3 * 16 * 4 * 4
    assert work[0]["ODELoop_rtl_0_DepthwiseConv_rtl_0"] == 3 * 16 * 4 * 9


def test_total():
    total = total_use([MultiplierUse("a", 100, 1), MultiplierUse("b", 50, 2)])
    assert (total.macs, total.multipliers) == (150, 3)
    assert total.utilisation(100) == pytest.approx(0.5)
