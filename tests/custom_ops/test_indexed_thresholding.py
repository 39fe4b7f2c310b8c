"""IndexedThresholding_rtl: reference against counting, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core.datatype import DataType
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp

from custom_ops.indexed_thresholding.reference import clip_thresholds, indexed_thresholding, position_thresholding
from custom_ops.streams import Stream
from finn_flow.errors import FlowError, UserError
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers, make_model
from tests.custom_ops.cases import threshold_case


class TestIndexedThresholding(HardwareOpTest):
    op_type = "IndexedThresholding_rtl"
    node_inputs = 3
    cases: ClassVar[Mapping[str, Case]] = {
        "signed output": threshold_case(6, 2, 15, 3, "INT8", "INT4", bias=-8),
        "steps below a power of two": threshold_case(4, 1, 6, 5, "UINT6", "UINT4", trigger=8),
        "shared thresholds": threshold_case(4, 2, 3, 2, "INT5", "UINT2", shared=True),
        "one step": threshold_case(2, 2, 1, 2, "INT12", "BINARY"),
        "one word per frame": threshold_case(3, 3, 7, 4, "INT6", "INT6", bias=-3, size=(1, 1)),
    }

    def draw(self, stream: Stream, case: Case, rng: np.random.Generator) -> Integers:
        if stream.tensor == 2:
            return rng.integers(0, case.attributes["iterations"], stream.shape)
        return super().draw(stream, case, rng)

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [indexed_thresholding(inputs[0], case.constants[1], int(inputs[2][0]), case.attributes["ActVal"])]


def with_positions(case: Case, kinds: int) -> Case:
    """Return the case with as many kinds of pixels, in a random pattern, and as many more sets of thresholds."""
    pixels = int(np.prod(case.attributes["numInputVectors"]))
    pattern = np.concatenate([np.arange(kinds), np.random.default_rng(1).integers(0, kinds, pixels - kinds)])
    rng = np.random.default_rng(2)
    thresholds = np.concatenate([case.constants[1] + rng.integers(-9, 9) for _ in range(kinds)])
    return Case({**case.attributes, "positions": pattern.tolist()}, {1: thresholds})


class TestKindsOfPixelsInIterations(HardwareOpTest):
    op_type = "IndexedThresholding_rtl"
    node_inputs = 3
    cases: ClassVar[Mapping[str, Case]] = {
        "folded": with_positions(threshold_case(6, 2, 7, 2, "INT8", "UINT3"), 5),
        "shared thresholds": with_positions(threshold_case(4, 2, 3, 3, "INT6", "UINT2", shared=True), 2),
    }

    def draw(self, stream: Stream, case: Case, rng: np.random.Generator) -> Integers:
        if stream.tensor == 2:
            return rng.integers(0, case.attributes["iterations"], stream.shape)
        return super().draw(stream, case, rng)

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        positions = np.array(case.attributes["positions"])
        kinds = positions.max() + 1
        sets = case.constants[1][int(inputs[2][0]) * kinds :][:kinds]
        return [position_thresholding(inputs[0], sets, positions, case.attributes["ActVal"])]


class TestPositionThresholding(HardwareOpTest):
    op_type = "PositionThresholding_rtl"
    node_inputs = 2
    cases: ClassVar[Mapping[str, Case]] = {
        "folded": with_positions(threshold_case(6, 2, 7, 1, "INT8", "UINT3"), 5),
        "one fold": with_positions(threshold_case(3, 3, 15, 1, "INT7", "INT4", bias=-8), 3),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        positions = np.array(case.attributes["positions"])
        return [position_thresholding(inputs[0], case.constants[1], positions, case.attributes["ActVal"])]


def test_each_pixel_has_the_thresholds_of_its_kind():
    thresholds = np.array([[[1, 2]], [[-5, 9]]])
    x = np.array([[[[0, 2], [0, 2]], [[9, -6], [1, 1]]]])
    found = position_thresholding(x, thresholds, np.array([0, 1, 1, 0]), 10)
    assert found.tolist() == [[[[10, 12], [11, 11]], [[12, 10], [11, 11]]]]


@given(
    st.lists(st.integers(-20, 20), min_size=1, max_size=9),
    st.lists(st.integers(-8, 7), min_size=2, max_size=2),
    st.integers(-4, 4),
)
def test_reference_counts_thresholds_and_clipping_changes_nothing(steps: list[int], x: list[int], bias: int) -> None:
    thresholds = np.sort(np.array([[[0] * len(steps), [0] * len(steps)], [steps, steps[::-1]]]))
    wanted = [bias + sum(value >= step for step in steps) for value in x]
    assert indexed_thresholding(np.array(x), thresholds, 1, bias).tolist() == wanted
    assert indexed_thresholding(np.array(x), thresholds[:, :1], 1, bias).tolist() == wanted
    clipped = clip_thresholds(thresholds, DataType["INT4"])
    assert clipped.min() >= -8
    assert clipped.max() <= 8
    assert indexed_thresholding(np.array(x), clipped, 1, bias).tolist() == wanted


def test_thresholds_that_do_not_ascend_are_refused() -> None:
    case = threshold_case(2, 1, 3, 2, "INT4", "UINT2")
    case.constants[1][1, 0] = [3, 1, 2]
    model = make_model("IndexedThresholding_rtl", case, 3)
    feed = {"in0": np.zeros((1, 3, 4, 2), np.float32), "in2": np.zeros(1, np.float32)}
    with pytest.raises(UserError, match=r"node: thresholds must be ascending, not \[3, 1, 2\] in set 1, channel 0"):
        execute_onnx(model, feed)


def test_index_without_a_set_is_refused() -> None:
    model = make_model("IndexedThresholding_rtl", threshold_case(2, 1, 3, 3, "INT4", "UINT2"), 3)
    feed = {"in0": np.zeros((1, 3, 4, 2), np.float32), "in2": np.full(1, 3, np.float32)}
    with pytest.raises(FlowError, match="node: index must be between 0 and 2, not 3"):
        execute_onnx(model, feed)


@pytest.mark.parametrize(("trigger", "lut", "bram_18k"), [(1000, 330, 0), (64, 90, 4)])
def test_memories_by_depth(trigger: int, lut: int, bram_18k: int) -> None:
    """Of such a node open synthesis gave these figures: LUTs within 25 %, block RAM exactly."""
    case = threshold_case(7, 1, 63, 3, "INT10", "UINT6", trigger=trigger)
    op = getCustomOp(make_model("IndexedThresholding_rtl", case, 3).graph.node[0])
    assert op.memory_depths() == [24, 48, 96, 192, 384, 768]
    assert op.lut_estimation("") == pytest.approx(lut, rel=0.25)
    assert op.bram_estimation("") == bram_18k


def test_shared_thresholds_have_one_fold() -> None:
    case = threshold_case(8, 2, 3, 3, "INT10", "UINT2", shared=True)
    assert getCustomOp(make_model("IndexedThresholding_rtl", case, 3).graph.node[0]).memory_depths() == [3, 6]
