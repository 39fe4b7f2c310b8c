"""The golden chain on real images: every form of a network gives the same integers, logits included."""

import numpy as np
import pytest
import torch

from brevitas_models.config import NetworkConfig, preset
from finn_flow.execution import execute_batch, execute_hardware
from finn_flow.export.network import make_golden, network_values
from finn_flow.export.qonnx import to_qonnx
from finn_flow.folding.target import fold_for_cycles
from finn_flow.steps.frontend import step_lower_to_integers
from finn_flow.transformations.convert_to_hardware import ConvertToHardware
from finn_flow.transformations.insert_forks import InsertForks
from finn_flow.transformations.insert_width_converters import InsertWidthConverters
from finn_flow.transformations.interface import read_outputs
from finn_flow.transformations.name_nodes import NameNodes
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from finn_flow.transformations.select_labels import SelectLabels
from tests.briefly_trained import briefly_trained, digit_codes

IMAGES = 200


def variant(name: str, **changes) -> NetworkConfig:
    return NetworkConfig(**{**preset(name).model_dump(), **changes})


@pytest.mark.parametrize(
    ("config", "steps", "cycles"),
    [
        pytest.param(variant("dsodenet-tiny"), 10, 600, id="dsodenet-tiny"),
        pytest.param(variant("dsodenet-tiny", time="none", batch_norm="shared"), 10, 5000, id="dsodenet-tiny-shared"),
        pytest.param(variant("odenet-tiny"), 10, 3000, id="odenet-tiny"),
        pytest.param(variant("odenet-tiny", time="none"), 10, 3000, id="odenet-tiny-no-time"),
        pytest.param(variant("dsodenet-small"), 4, 5000, id="dsodenet-small"),
        pytest.param(variant("odenet-small", batch_norm="shared"), 3, 40000, id="odenet-small-shared"),
    ],
)
def test_every_link_is_exact(config, steps, cycles, mnist, usps):
    torch.set_num_threads(1)
    network = briefly_trained(config, mnist["train"], steps)
    codes = digit_codes(usps["test"], config, IMAGES)
    brevitas = make_golden(network, codes).logits
    assert len(np.unique(brevitas, axis=0)) > IMAGES // 2  # the images make a difference

    exported = to_qonnx(network)
    values = network_values(codes)
    np.testing.assert_array_equal(execute_batch(exported, values[:50]), brevitas[:50])

    rolled, _ = RollODEBlocks().apply(exported)
    np.testing.assert_array_equal(execute_batch(rolled, values), brevitas)

    integers = step_lower_to_integers.__wrapped__(rolled, None)
    logits = execute_batch(integers, codes.transpose(0, 3, 1, 2))
    scale = read_outputs(integers)[0].scale[0]
    np.testing.assert_array_equal(logits * np.float32(scale), brevitas)

    hardware = (
        integers.transform(SelectLabels())
        .transform(ConvertToHardware())
        .transform(InsertForks())
        .transform(NameNodes())
    )
    fold_for_cycles(hardware, cycles)
    hardware = hardware.transform(InsertWidthConverters()).transform(NameNodes())
    found = execute_hardware(hardware, codes)
    np.testing.assert_array_equal(found["logits"], logits.astype(np.int64))
    np.testing.assert_array_equal(found["labels"], brevitas.argmax(axis=1))
