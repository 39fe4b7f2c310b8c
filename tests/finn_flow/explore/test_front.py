"""Pareto fronts against their definition, and conditions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finn_flow.errors import UserError
from finn_flow.explore.front import Condition, dominates, pareto_front, parse_conditions

OBJECTIVES = ["frames_per_second", "LUT"]
POINTS = st.dictionaries(
    st.integers(0, 99).map(str),
    st.fixed_dictionaries({"frames_per_second": st.integers(0, 9), "LUT": st.integers(0, 9)}),
    min_size=1,
    max_size=25,
)


def test_a_front_by_hand():
    points = {
        "fast": {"frames_per_second": 10, "LUT": 10},
        "small": {"frames_per_second": 1, "LUT": 1},
        "worse": {"frames_per_second": 1, "LUT": 2},
    }
    assert pareto_front(points, OBJECTIVES) == ["fast", "small"]
    assert pareto_front(points, ["LUT"]) == ["small"]


@given(POINTS)
def test_nothing_on_the_front_is_beaten_and_everything_else_is(points):
    front = pareto_front(points, OBJECTIVES)
    assert front
    for name, figures in points.items():
        beaten = any(dominates(points[other], figures, OBJECTIVES) for other in front)
        assert beaten == (name not in front)


def test_conditions():
    found = parse_conditions("LUT<60000, fps >= 20000,accuracy>95 %")
    assert found == [
        Condition("LUT", "<", 60000),
        Condition("frames_per_second", ">=", 20000),
        Condition("accuracy", ">", 0.95),
    ]
    assert found[0].holds({"LUT": 59999})
    assert not found[0].holds({"LUT": 60000})
    assert found[1].holds({"frames_per_second": 20000})
    assert not found[2].holds({"LUT": 1})
    assert parse_conditions("DSP<=7")[0].holds({"DSP": 7})


@pytest.mark.parametrize("text", ["", "LUT", "LUT<x", "__import__('os')<3", "speed>3", "LUT<1; fps>2", "LUT==3"])
def test_other_conditions_are_refused(text):
    with pytest.raises(UserError, match="a condition must be FIGURE<NUMBER"):
        parse_conditions(text)
