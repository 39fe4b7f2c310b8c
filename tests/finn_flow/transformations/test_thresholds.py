"""Steps are right for every code, whatever float arithmetic they replace."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from onnx import NodeProto, helper

from finn_flow.transformations.elementwise import Expression, Operation, Source, evaluate, is_monotone
from finn_flow.transformations.quantiser import Quantiser
from finn_flow.transformations.thresholds import (
    CodeFunction,
    Steps,
    falls,
    find_thresholds,
    steps_of_any,
    steps_of_monotone,
)

BOUNDS = {"lowest": np.full((1, 1, 1, 1), -8), "highest": np.full((1, 1, 1, 1), 7)}


def quantiser(bits: int, signed: bool, scale: float, narrow: bool = False, **options) -> Quantiser:
    return Quantiser(np.full((1, 1, 1, 1), scale, np.float32), bits, signed, narrow and signed, **options)


def source(scale: float = 1.0) -> Source:
    return Source("x", np.full((1, 1, 1, 1), scale, np.float32))


def constant(*values: float) -> np.ndarray:
    return np.float32(values).reshape(1, 1, -1, 1)


def op(kind: str, *operands: Expression, **attributes) -> Operation:
    node: NodeProto = helper.make_node(kind, [], [], **attributes)
    return Operation(node, operands)


def codes_after(expression: Expression, target: Quantiser) -> CodeFunction:
    return lambda codes: target.codes(evaluate(expression, {"x": codes}))


def apply(steps: Steps, codes: np.ndarray, lowest: int) -> np.ndarray:
    """Return what hardware computes: thresholds counted, then the table; [iterations, positions, channels, codes]."""
    counts = (codes[:, None] >= steps.thresholds[..., None, :]).sum(axis=-1)
    if steps.table is None:
        return lowest + counts
    shape = np.broadcast_shapes(counts.shape[:-1], steps.table.shape[:-1])
    table = np.broadcast_to(steps.table, (*shape, steps.table.shape[-1]))
    return np.take_along_axis(table, np.broadcast_to(counts, (*shape, counts.shape[-1])), axis=-1)


SCALES = st.floats(2.0**-10, 4.0, width=32)


@given(
    data=st.data(),
    bits=st.integers(1, 8),
    signed=st.booleans(),
    narrow=st.booleans(),
    source_bits=st.integers(2, 14),
    source_scale=SCALES,
    scale=SCALES,
    zero_point=st.integers(-3, 3),
    relu=st.booleans(),
)
def test_every_code_is_quantised_as_the_float_function_says(
    data, bits, signed, narrow, source_bits, source_scale, scale, zero_point, relu
):
    numbers = st.floats(np.float32(-1e3), np.float32(1e3), width=32)
    factors, offsets = (constant(*data.draw(st.lists(numbers, min_size=3, max_size=3))) for _ in range(2))
    expression: Expression = op("Add", op("Mul", source(source_scale), factors), offsets)
    expression = op("Relu", expression) if relu else expression
    target = quantiser(bits + signed, signed, scale, narrow, zero_point=zero_point)
    bound = 2 ** (source_bits - 1)
    low, high = np.full((1, 1, 3, 1), -bound), np.full((1, 1, 3, 1), bound - 1)
    function = codes_after(expression, target)
    assert is_monotone(expression)
    steps = steps_of_monotone(function, (target.lowest, target.highest), low, high, falls(function, low, high)[0, 0])
    codes = np.arange(-bound, bound)
    np.testing.assert_array_equal(apply(steps, codes, target.lowest), function(codes.reshape(1, 1, 1, -1)))
    assert np.all(np.diff(steps.thresholds, axis=-1) >= 0)


@given(
    kind=st.sampled_from(["Tanh", "Sigmoid", "Softplus", "HardSwish", "Abs", "Sin", "Elu", "LeakyRelu", "Mish"]),
    scale=st.floats(2.0**-8, 1.0),
    target_scale=st.floats(2.0**-7, 1.0),
    gate=st.booleans(),
)
def test_functions_of_any_form(kind, scale, target_scale, gate):
    x = source(scale)
    expression = op("Mul", x, op("Sigmoid", op("Mul", x, constant(1.5, -2.0)))) if gate else op(kind, x)
    assert is_monotone(expression) is False
    target = quantiser(6, True, target_scale)
    function = codes_after(expression, target)
    steps = steps_of_any(function, (target.lowest, target.highest), -300, 301, 2)
    codes = np.arange(-300, 302)
    expected = np.broadcast_to(function(codes.reshape(1, 1, 1, -1)), (1, 1, 2, codes.size))
    np.testing.assert_array_equal(np.broadcast_to(apply(steps, codes, target.lowest), expected.shape), expected)


def test_ties_round_to_even():
    """Half of each odd code: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, 3.5 -> 4."""
    function = codes_after(source(0.5), quantiser(3, False, 1.0))
    thresholds = find_thresholds(function, np.arange(1, 8), np.full((1, 1, 1, 1), 0), np.full((1, 1, 1, 1), 255))
    assert thresholds.tolist() == [[[[2, 3, 6, 7, 10, 11, 14]]]]


def test_a_level_out_of_reach_has_a_threshold_above_all_codes():
    function = codes_after(source(), quantiser(3, False, 1.0))
    thresholds = find_thresholds(function, np.arange(1, 8), np.full((1, 1, 1, 1), -4), np.full((1, 1, 1, 1), 5))
    assert thresholds.tolist() == [[[[1, 2, 3, 4, 5, 6, 6]]]]


def test_constants_may_differ_between_iterations():
    factors = np.float32([0.5, 1.0, 2.0]).reshape(3, 1, 1, 1)
    function = codes_after(op("Mul", source(), factors), quantiser(2, False, 1.0))
    thresholds = find_thresholds(function, np.arange(1, 4), *BOUNDS.values())
    assert thresholds[:, 0, 0].tolist() == [[2, 3, 6], [1, 2, 3], [1, 1, 2]]


def test_direction_of_a_function_is_found_per_channel():
    function = codes_after(op("Mul", source(), constant(1.0, -1.0, 0.0)), quantiser(4, True, 1.0))
    assert falls(function, *BOUNDS.values()).ravel().tolist() == [False, True, False]


def test_a_constant_may_stand_on_either_side():
    first, second = op("Sub", constant(3.0), source()), op("Sub", source(), constant(3.0))
    codes = {"x": np.array([1, 5]).reshape(1, 1, 1, 2)}
    assert evaluate(first, codes).ravel().tolist() == [2.0, -2.0]
    assert evaluate(second, codes).ravel().tolist() == [-2.0, 2.0]


def test_one_bit_has_two_codes():
    bipolar = Quantiser(np.full((1, 1, 1, 1), 0.5, np.float32), bipolar=True)
    assert (bipolar.lowest, bipolar.highest) == (-1, 1)
    assert bipolar.codes(np.float32([-2, -0.0, 0, 3])).tolist() == [-1, 1, 1, 1]
