"""A form of the network with one wrong number in it is found out, and the message says where the number is."""

import copy

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import FlowError
from finn_flow.execution import with_batch_size
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.proof import Proof
from finn_flow.proof.frames import FRAMES, range_frames
from finn_flow.proof.given import GivenModel
from finn_flow.proof.localise import find_in_integers
from finn_flow.steps.frontend import step_lower_to_integers, step_roll_ode_blocks, step_select_labels
from finn_flow.steps.hardware import step_convert_to_hardware
from finn_flow.transformations.alternatives import alternative, put_in_place
from finn_flow.transformations.bodies import loop_body, loops, set_loop_body
from finn_flow.transformations.insert_fifos import InsertFIFOs
from finn_flow.transformations.name_nodes import NameNodes
from tests.finn_flow.transformations.qonnx_graphs import GraphBuilder, ode_net


@pytest.fixture(scope="module")
def forms(tmp_path_factory):
    """Return the path of a model with one loop, and its rolled, integer and hardware forms."""
    ensure_finn()
    path = tmp_path_factory.mktemp("proof") / "model.onnx"
    ode_net((3,), state_output=False).save(str(path))
    rolled = step_roll_ode_blocks(ModelWrapper(str(path)), None)
    integers = step_select_labels(step_lower_to_integers(rolled, None), None)
    return path, rolled, integers, step_convert_to_hardware(integers, None)


def prove(forms, integers=None, hardware=None) -> Proof:
    path, rolled, right_integers, right_hardware = forms
    proof = Proof(path)
    for model in (rolled, integers or right_integers, hardware or right_hardware):
        proof.check(model)
    return proof


def add_to(model: ModelWrapper, name: str, amount: int, index: tuple[int, ...]) -> None:
    values = model.get_initializer(name).copy()
    values[index] += amount
    model.set_initializer(name, values)


def first_node(model: ModelWrapper, *op_types: str):
    return next(node for node in model.graph.node if node.op_type in op_types)


def test_right_forms_are_proved_on_the_whole_range(forms):
    assert prove(forms).compared == {"integers": FRAMES, "hardware graph": FRAMES}
    frames = range_frames(-8, 7, (2, 3, 3))
    assert (frames.min(), frames.max()) == (-8, 7)
    assert set(np.unique(frames[6:])) == set(range(-8, 8))


def test_a_wrong_weight_in_the_stem(forms):
    broken = copy.deepcopy(forms[2])
    add_to(broken, first_node(broken, "Conv").input[1], 40, (1, 0, 1, 1))
    with pytest.raises(FlowError, match=r"the integers differ .* the first difference: Quant_\w+, channel 1 of frame"):
        prove(forms, integers=broken)


def test_a_wrong_threshold_inside_the_loop_names_loop_and_iteration(forms):
    broken = copy.deepcopy(forms[2])
    (loop,) = loops(broken)
    body = loop_body(loop)
    add_to(body, first_node(body, "MultiThreshold").input[1], -200, (slice(None), slice(None)))
    set_loop_body(loop, body)
    with pytest.raises(FlowError, match=r"the first difference: ODELoop_0, iteration 0, Quant_\w+, channel 0 of frame"):
        prove(forms, integers=broken)


def test_a_wrong_weight_in_the_hardware_names_its_node(forms):
    broken = copy.deepcopy(forms[3])
    add_to(broken, first_node(broken, "MVAU_rtl").input[1], 40, (slice(None), 1))
    with pytest.raises(FlowError, match=r"the hardware graph differs .* difference: MVAU_rtl_0, channel 1 of frame"):
        prove(forms, hardware=broken)


def test_a_wrong_weight_in_the_hardwares_loop(forms):
    broken = copy.deepcopy(forms[3])
    (loop,) = loops(broken)
    body = loop_body(loop)
    add_to(body, first_node(body, "DepthwiseConv_rtl").input[1], 1, (0, 1, 1))
    set_loop_body(loop, body)
    with pytest.raises(FlowError, match=r"ODELoop_rtl_0, iteration 0, ODELoop_rtl_0_DepthwiseConv_rtl_0, channel 0"):
        prove(forms, hardware=broken)


def test_the_given_model_runs_frame_by_frame_where_it_names_its_batch(forms):
    model = GivenModel(forms[0])
    output = model.model.graph.output[0].name
    shape = model.model.get_tensor_shape(model.entry)
    values = np.random.default_rng(0).random((3, *shape[1:]), dtype=np.float32)
    (together,) = model.run(values, [output])
    alone = [model.run(values[i : i + 1], [output])[0] for i in range(3)]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def requantised(hardware: ModelWrapper, off: int) -> ModelWrapper:
    """Return the graph with requantisation in the place of thresholds, its offset changed by `off`."""
    model = copy.deepcopy(hardware)
    node = first_node(model, "Thresholding_rtl")
    other = alternative(model, node, "Requantisation_rtl")
    assert other is not None
    put_in_place(model, node, other)
    add_to(model, node.input[1], off, (slice(None), 1))
    return model


def test_what_the_folding_puts_in_place_is_proved(forms):
    proof = prove(forms)
    proof.check(requantised(forms[3], 0))
    with pytest.raises(FlowError, match=r"the hardware graph differs .* difference: Requantisation_rtl_0, channel 0"):
        proof.check(requantised(forms[3], 1 << 20))


def test_a_graph_is_proved_again_only_where_it_may_differ(forms, monkeypatch):
    proof, proved = prove(forms), []
    monkeypatch.setattr(Proof, "_check_hardware", lambda self, model: proved.append(model))
    with_fifos = copy.deepcopy(forms[3]).transform(InsertFIFOs(frames=1)).transform(NameNodes())
    proof.check(forms[3], last=True)
    proof.check(with_fifos)
    assert proved == []
    proof.check(with_fifos, last=True)
    proof.check(with_fifos, last=True)
    assert proved == [with_fifos]


@pytest.mark.parametrize("wrong", [False, True])
def test_frames_that_float32_rounding_decides_are_told_from_wrong_ones(wrong):
    """Two quantisers round halves: code 3 is a tie of the first, code 6 one of the second, code 20 of neither."""
    net = GraphBuilder()
    x = net.quant("x", bits=6, scale=1.0)
    first = net.quant(net.node("Mul", x, net.constant(0.5)), bits=6, scale=1.0)
    second = net.quant(net.node("Mul", first, net.constant(0.5)), bits=6, scale=1.0)
    floats = net.finish((1, 1, 1, 1), second)
    integers = step_lower_to_integers.__wrapped__(copy.deepcopy(floats), None)
    for node in (n for n in integers.graph.node if n.op_type == "MultiThreshold"):
        thresholds = integers.get_initializer(node.input[1])
        changed = np.where(thresholds == 3, 4, thresholds)
        changed[thresholds == 10] += 2 * wrong
        integers.set_initializer(node.input[1], changed)
    codes = np.array([3, 6, 8, 20]).reshape(4, 1, 1, 1)
    batches = with_batch_size(floats, 4), with_batch_size(integers, 4)
    difference, undecided = find_in_integers(*batches, codes.astype(np.float32), codes)
    assert (undecided.frames, undecided.node) == ({0, 1}, "Quant_t2")
    assert (difference is not None) == wrong
    if difference is not None:
        assert (difference.node, difference.frame, difference.got, difference.expected) == ("Quant_t4", 3, 4, 5)
