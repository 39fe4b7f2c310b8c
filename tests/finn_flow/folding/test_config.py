"""Folding configurations: FINN's format, bodies included."""

import json

import numpy as np
import pytest
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.folding.config import apply_folding_config, extract_folding, read_folding_config
from finn_flow.folding.target import fold_for_cycles
from finn_flow.transformations.bodies import loop_body, loops, set_loop_body
from tests.finn_flow.folding.small_networks import all_nodes, lowered, small_hardware
from tests.finn_flow.transformations.compiled import assert_same_logits, finish, hardware

BODY_NODE = "ODELoop_rtl_0_MVAU_rtl_0"


def attribute(model, node_name: str, name: str):
    return next(getCustomOp(node).get_nodeattr(name) for node, _ in all_nodes(model) if node.name == node_name)


def test_what_is_written_gives_the_same_folding_again():
    integers = lowered()
    model, other = hardware(integers), hardware(integers)
    fold_for_cycles(model, 150)
    config = json.loads(json.dumps(extract_folding(model)))
    assert extract_folding(other) != config
    apply_folding_config(other, config)
    assert extract_folding(other) == config
    assert {"Defaults", "ODELoop_rtl_0", "MVAU_rtl_1"} <= set(config)
    # What has no folding is named, too: a matrix of constants in the place of an MVAU.
    assert config[BODY_NODE.replace("MVAU", "ConstantMatrix")] == {}
    assert config["CascadeMVAU_rtl_0"] == {"PE": 4, "SIMD": 3}
    assert {"MVAU_rtl_0", BODY_NODE}.isdisjoint(config)
    assert_same_logits(integers, finish(other))


def test_a_written_config_as_pins_leaves_nothing_to_choose():
    model = small_hardware()
    first = fold_for_cycles(model, 150)
    config = extract_folding(model)
    again = small_hardware()
    assert fold_for_cycles(again, 1, pins=apply_folding_config(again, config)) == first


def test_a_config_names_what_takes_the_place_of_a_node():
    integers = lowered()
    model = hardware(integers)
    config = {
        "ODELoop_rtl_0_IndexedRequantisation_rtl_1": {"PE": 2, "resType": "lut"},
        "ODELoop_rtl_0_body_ODELoop_rtl_0_IndexedRequantisation_rtl_0": {"PE": 4},
    }
    apply_folding_config(model, config)
    assert attribute(model, "ODELoop_rtl_0_IndexedRequantisation_rtl_1", "resType") == "lut"
    assert attribute(model, "ODELoop_rtl_0_IndexedRequantisation_rtl_0", "PE") == 4
    assert_same_logits(integers, finish(model))


def test_what_would_compute_something_else_is_not_put_in_place():
    model = small_hardware()
    (loop,) = loops(model)
    body = loop_body(loop)
    node = body.get_nodes_by_op_type("IndexedThresholding_rtl")[0]
    thresholds = body.get_initializer(node.input[1]).copy()
    thresholds[0, 0] = np.arange(thresholds.shape[-1]) ** 2
    body.set_initializer(node.input[1], thresholds)
    set_loop_body(loop, body)
    name = node.name.replace("Thresholding", "Requantisation")
    with pytest.raises(UserError, match=f"{name} would not give the same codes as {node.name}"):
        apply_folding_config(model, {name: {"PE": 1}})


@pytest.mark.parametrize("name", [BODY_NODE, f"ODELoop_rtl_0_body_{BODY_NODE}"])
def test_nodes_of_bodies_by_either_name(name):
    model = small_hardware()
    assert apply_folding_config(model, {name: {"PE": 2}}) == {BODY_NODE: {"PE": 2}}
    assert attribute(model, BODY_NODE, "PE") == 2


def test_defaults_by_op_type_and_for_all():
    model = small_hardware()
    config = {
        "Defaults": {"ram_style": ["block", ["MVAU_rtl"], "distributed", ["DepthwiseConv_rtl"]], "PE": [2, "all"]},
        BODY_NODE: {"ram_style": "distributed", "PE": 4},
        "TopK_rtl_0": {"PE": 1},
        "MVAU_rtl_1": {"PE": 5},
    }
    apply_folding_config(model, config)
    assert attribute(model, "MVAU_rtl_0", "ram_style") == "block"
    assert attribute(model, "MVAU_rtl_0", "PE") == 2
    assert attribute(model, "ODELoop_rtl_0_DepthwiseConv_rtl_0", "ram_style") == "distributed"
    assert attribute(model, BODY_NODE, "ram_style") == "distributed"
    assert attribute(model, BODY_NODE, "PE") == 4


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"MVAU_rtl_9": {}, "Nothing_0": {"PE": 1}}, "the model has no node called MVAU_rtl_9, Nothing_0"),
        ({BODY_NODE: {"Pe": 1}}, f"{BODY_NODE} has no attribute `Pe`"),
        ({BODY_NODE: {"ram_style": "bram"}}, f"{BODY_NODE}: ram_style must not be 'bram'"),
        ({BODY_NODE: {"PE": "four"}}, f"{BODY_NODE}: PE must not be 'four'"),
        ({BODY_NODE: {"PE": 3}}, f"{BODY_NODE}: PE must be one of 1, 2, 4, not 3"),
        ({BODY_NODE: {"PE": 4, "SIMD": 3}}, r"PE, SIMD must be one of 1 x 1, 1 x 2, .*, not 4 x 3"),
        ({"ODELoop_rtl_0": {"PE": 8}}, "ODELoop_rtl_0: PE must divide the state's channels, not PE=8"),
        ({"Defaults": {"PE": 2}}, "Defaults: PE must be a list of values and op types, not 2"),
        ({"Defaults": {"PE": [2, -1]}}, 'Defaults: PE: -1 must be "all" or a list of op types'),
        (
            {"Defaults": {"PE": [2, "MVAU"]}},
            "Defaults: PE: no node is a MVAU; the model has Convolution",
        ),
        ({"Defaults": {"PEs": [2, "all"]}}, "Defaults: no node that is meant has an attribute `PEs`"),
        ({BODY_NODE: {}, f"ODELoop_rtl_0_body_{BODY_NODE}": {}}, "are the same node; give its attributes once"),
        ({BODY_NODE: {"MW": 5}}, f"{BODY_NODE}: `MW` is the network's: it must stay 4, not 5"),
        (
            {"ODELoop_rtl_0": {"frames_in_flight": 10**6}},
            "ODELoop_rtl_0: frames_in_flight must be 1 to 64, not 1000000",
        ),
    ],
)
def test_mistakes_are_named(config, message):
    with pytest.raises(UserError, match=message):
        apply_folding_config(small_hardware(), config)


@pytest.mark.parametrize(("text", "message"), [("{", "not a JSON file"), ('{"MVAU_rtl_0": 3}', "must map node names")])
def test_files_that_are_no_config(tmp_path, text, message):
    path = tmp_path / "folding.json"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_folding_config(path)
