"""Treemaps: areas in proportion, without overlaps, that fill the whole."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finn_flow.report.treemap import Area, Share, squarified, treemap

WHOLE = Area(0, 0, 600, 200)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=30))
def test_areas_are_in_proportion_and_fill_the_whole(amounts):
    amounts = sorted(amounts, reverse=True)
    found = squarified(amounts, WHOLE)
    for amount, area in zip(amounts, found, strict=True):
        assert area.width * area.height == pytest.approx(WHOLE.width * WHOLE.height * amount / sum(amounts))
        assert -1e-6 <= area.x <= area.x + area.width <= WHOLE.width + 1e-6
        assert -1e-6 <= area.y <= area.y + area.height <= WHOLE.height + 1e-6
    for a, b in combinations(found, 2):
        across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
        down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
        assert across < 1e-6 or down < 1e-6


def test_equal_amounts_become_squares():
    areas = squarified([1, 1, 1], WHOLE)
    assert {(round(area.width), round(area.height)) for area in areas} == {(200, 200)}


def test_groups_and_nodes_are_named():
    shares = [Share("L_MVAU_0", "MVAU_rtl", "L_0", 75), Share("TopK_1", "TopK_rtl", "", 25), Share("x", "y", "", 0)]
    svg = treemap(shares, "LUT")
    assert "ODE loop 0: 75 LUT, 75%" in svg
    assert "outside of loops: 25 LUT, 25%" in svg
    assert "<title>TopK_1: 25 LUT, 25.0%</title>" in svg
    assert svg.count("data-node") == 2
