"""Several states of a solver on integers: what can be joined, taken apart and chosen, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.basic import qonnx_make_model

from finn_flow.errors import UserError
from finn_flow.execution import execute_batch
from finn_flow.transformations.lower_to_integers import LowerToIntegers

SHAPE = [1, 4, 2, 3]


def quant(source: str, output: str, scale: str = "scale"):
    return helper.make_node(
        "Quant",
        [source, scale, "zero", "bits"],
        [output],
        domain="qonnx.custom_op.general",
        signed=1,
        narrow=0,
        rounding_mode="ROUND",
    )


def model_of(nodes, output_shape=SHAPE, **constants) -> ModelWrapper:
    values = {
        "scale": np.float32(0.25),
        "other": np.float32(0.1875),
        "zero": np.float32(0),
        "bits": np.float32(6),
        **constants,
    }
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", SHAPE), ("y", output_shape))
    ]
    initialisers = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], initialisers)
    return ModelWrapper(qonnx_make_model(graph)).transform(InferShapes())


def lowered_and_given(model: ModelWrapper) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the lowered model, and the values of the one that was given, for every code of the input."""
    codes = np.random.default_rng(0).integers(-32, 32, (64, *SHAPE[1:])).astype(np.float32)
    given = execute_batch(model, codes * np.float32(0.25))
    return execute_batch(model.transform(LowerToIntegers()), codes), given


def test_states_are_joined_and_taken_apart():
    model = model_of(
        [
            quant("x", "z"),
            helper.make_node("Neg", ["z"], ["n"]),
            quant("n", "m"),
            helper.make_node("Concat", ["z", "m"], ["both"], axis=1),
            helper.make_node("Split", ["both"], ["a", "b"], axis=1),
            quant("b", "y"),
        ]
    )
    codes, given = lowered_and_given(model)
    np.testing.assert_array_equal(codes * np.float32(0.25), given)
    assert {node.op_type for node in model.transform(LowerToIntegers()).graph.node} <= {"Lookup", "MultiThreshold"}


@pytest.mark.parametrize("condition", [True, False])
def test_a_choice_that_never_changes_is_no_node(condition):
    model = model_of(
        [
            quant("x", "z"),
            helper.make_node("Neg", ["z"], ["n"]),
            quant("n", "m"),
            helper.make_node("Add", ["z", "shift"], ["s"]),
            quant("s", "p"),
            helper.make_node("Where", ["condition", "p", "m"], ["y"]),
        ],
        condition=np.array(condition),
        shift=np.float32(0.75),
    )
    codes, given = lowered_and_given(model)
    np.testing.assert_array_equal(codes * np.float32(0.25), given)


@pytest.mark.parametrize(
    ("nodes", "constants", "message"),
    [
        (
            [quant("x", "z"), helper.make_node("Split", ["z"], ["y", "b"], name="split", axis=1)],
            {},
            "split: only what was joined as channels (axis 1), such as a solver's states, can be split again, into the "
            "same parts",
        ),
        (
            [
                quant("x", "z"),
                quant("z", "m", "other"),
                helper.make_node("Where", ["condition", "z", "m"], ["y"], name="where"),
            ],
            {"condition": np.array(True)},
            "where: chooses between tensors of different scales; use one quantiser for both",
        ),
        (
            [
                quant("x", "z"),
                helper.make_node("Relu", ["z"], ["m"]),
                helper.make_node("Where", ["condition", "z", "m"], ["y"], name="where"),
            ],
            {"condition": np.array(True)},
            "where: chooses between tensors that are not quantised; put a quantiser behind each",
        ),
        (
            [quant("x", "z"), quant("z", "m"), helper.make_node("Where", ["condition", "z", "m"], ["y"], name="where")],
            {"condition": np.array([[[[True]], [[False]], [[True]], [[True]]]])},
            "where: its condition must be one constant, or one in each iteration",
        ),
    ],
)
def test_refusals(nodes, constants, message):
    shape = [1, 2, 2, 3] if nodes[-1].op_type == "Split" else SHAPE
    with pytest.raises(UserError) as refusal:
        model_of(nodes, shape, **constants).transform(LowerToIntegers())
    assert str(refusal.value) == message


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0]), min_size=3, max_size=5), st.sampled_from([1.0, 3.0, 6.0]))
def test_sums_of_many_tensors_are_exact(factors, divisor):
    """Whatever powers of two they are multiplied by, and whatever the sum is divided by in the end."""
    nodes, constants = [quant("x", "z")], {"divisor": np.float32(divisor)}
    for i, factor in enumerate(factors):
        nodes += [
            helper.make_node("Add", ["z", f"shift{i}"], [f"moved{i}"]),
            quant(f"moved{i}", f"k{i}"),
            helper.make_node("Mul", [f"k{i}", f"factor{i}"], [f"m{i}"]),
        ]
        constants |= {f"factor{i}": np.float32(factor), f"shift{i}": np.float32(0.25 * (5 * i - 7))}
    total = "m0"
    for i in range(1, len(factors)):
        nodes.append(helper.make_node("Add", [total, f"m{i}"], [f"s{i}"]))
        total = f"s{i}"
    nodes += [
        helper.make_node("Div", [total, "divisor"], ["mean"]),
        helper.make_node("Add", ["z", "mean"], ["new"]),
        quant("new", "y"),
    ]
    codes, given = lowered_and_given(model_of(nodes, **constants))
    np.testing.assert_array_equal(codes * np.float32(0.25), given)
