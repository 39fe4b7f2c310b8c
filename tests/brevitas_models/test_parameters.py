import pytest

from brevitas_models.config import preset
from brevitas_models.parameters import compare, count_parameters


def test_tiny_by_hand():
    # Each batch-norm of the field has scale, shift and time bias; those of stem and stride-2 layers no time bias.
    field4, field8 = 2 * (36 + 16) + 4 * 12, 2 * (72 + 64) + 4 * 24
    stride = (36 + 8) + (32 + 16)
    counted = count_parameters(preset("dsodenet-tiny"))
    assert counted.middle == field4 + field8 + stride
    assert counted.total == counted.middle + (36 + 8) + 80
    assert counted.middle_weight_bits == 4 * (2 * (36 + 16) + 2 * (72 + 64) + 36 + 32)
    assert counted.weight_bits == counted.middle_weight_bits + 8 * (36 + 80)


def test_dense_by_hand():
    counted = count_parameters(preset("odenet-tiny"))
    assert counted.middle == (2 * 144 + 24) + (2 * 576 + 48) + (288 + 16)


def test_comparison():
    comparison = compare("small", preset("dsodenet-small"))
    assert comparison.odenet == count_parameters(preset("odenet-small"))
    assert comparison.dsodenet == count_parameters(preset("dsodenet-small"))
    assert comparison.reduction_percent("middle") == pytest.approx(100 * (1 - 17392 / 120672))
    assert comparison.to_json()["reduction_percent"]["middle"] == 85.6
