import json

import pytest

from brevitas_models.config import PRESETS, NetworkConfig, load_network_config, preset
from finn_flow.errors import UserError

GOOD = {"in_channels": 3, "image_size": [12, 20], "channels": [6, 10], "iterations": [3, 5], "num_classes": 7}


def test_defaults():
    assert NetworkConfig(**GOOD).model_dump() == {
        **GOOD,
        "field_weights": "shared",
        "convolution": "depthwise_separable",
        "solver": "euler",
        "time": "bias",
        "batch_norm": "per_iteration",
        "weight_bits": 4,
        "activation_bits": 4,
        "state_bits": 8,
    }


def test_presets():
    assert set(PRESETS) == {f"{kind}-{size}" for kind in ("odenet", "dsodenet") for size in ("tiny", "small", "base")}
    for name in PRESETS:
        assert preset(name).convolution == ("dense" if name.startswith("odenet") else "depthwise_separable")
    assert preset("dsodenet-base").image_size == [32, 32]
    assert load_network_config("odenet-small").iterations == [6, 6, 6]


def test_feature_maps_halve_rounding_up():
    config = NetworkConfig(in_channels=1, image_size=[9, 14], channels=[2, 2, 2], iterations=[2, 2, 2])
    assert config.feature_map_sizes() == [(9, 14), (5, 7), (3, 4)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_bit": 4}, "unknown key `weight_bit`"),
        ({"in_channels": "3"}, "`in_channels`: Input should be a valid integer, not '3'"),
        ({"in_channels": 0}, "`in_channels`"),
        ({"weight_bits": 1}, "`weight_bits`: Input should be greater than or equal to 2, not 1"),
        ({"weight_bits": 9}, "`weight_bits`: Input should be less than or equal to 8, not 9"),
        ({"activation_bits": 16}, "`activation_bits`"),
        ({"state_bits": 3}, "`state_bits`: Input should be greater than or equal to 4, not 3"),
        ({"state_bits": 13}, "`state_bits`: Input should be less than or equal to 12, not 13"),
        ({"channels": []}, "`channels`"),
        ({"channels": [6]}, "need one entry per ODE block each, not 1 and 2"),
        ({"iterations": [1, 5]}, "`iterations.0`: Input should be greater than or equal to 2, not 1"),
        ({"iterations": [3, 65]}, "`iterations.1`: Input should be less than or equal to 64, not 65"),
        ({"image_size": [12]}, "`image_size`"),
        ({"image_size": [12, 1]}, "`image_size` must leave at least 2x2 pixels for the last of 2 ODE blocks"),
        (
            {"solver": "rk45"},
            "`solver`: Input should be 'euler', 'midpoint', 'heun', 'low_storage_rk3', 'rk4' or 'low_storage_rk4', "
            "not 'rk45'",
        ),
        ({"convolution": "separable"}, "`convolution`"),
        ({"time": True}, "`time`"),
        ({"batch_norm": "none"}, "`batch_norm`"),
        ({"num_classes": 1}, "`num_classes`"),
    ],
)
def test_mistakes(tmp_path, changes, message):
    path = tmp_path / "network.json"
    path.write_text(json.dumps({**GOOD, **changes}))
    with pytest.raises(UserError) as error:
        load_network_config(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_a_missing_key_and_two_mistakes_at_once(tmp_path):
    path = tmp_path / "network.json"
    path.write_text(json.dumps({"image_size": [8, 8], "channels": [4], "iterations": [2], "bits": 4}))
    with pytest.raises(UserError, match="missing key `in_channels`; unknown key `bits`"):
        load_network_config(path)


def test_a_training_config_holds_a_network(tmp_path):
    path = tmp_path / "training.json"
    path.write_text(json.dumps({"network": GOOD, "source": "ignored"}))
    assert load_network_config(path) == NetworkConfig(**GOOD)
    path.write_text(json.dumps({"network": "odenet-tiny"}))
    assert load_network_config(path) == preset("odenet-tiny")


def test_neither_file_nor_preset():
    with pytest.raises(UserError, match=r"odenet-huge: neither a JSON file nor a network preset \(odenet-tiny, "):
        load_network_config("odenet-huge")
