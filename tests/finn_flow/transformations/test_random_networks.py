"""Random networks are exact through integers and hardware, or refused: none is wrong, none dies inside."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.execution import execute_batch
from finn_flow.transformations.interface import read_outputs
from tests.finn_flow.transformations.compiled import assert_same_logits, finish, hardware, integers
from tests.finn_flow.transformations.random_networks import INPUT_SCALE, networks

IMAGES = 4


def check(model: ModelWrapper) -> None:
    """Compare model, integers and hardware graph."""
    shape = model.get_tensor_shape("x")
    codes = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape[1:])).astype(np.float32)
    codes[0] = codes[0] // 64 * 64
    expected = np.concatenate([execute_batch(model, image[np.newaxis] * np.float32(INPUT_SCALE)) for image in codes])
    lowered = integers(model)
    (form,) = read_outputs(lowered)
    found = execute_batch(lowered, codes) * form.scale[0]
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6)  # a mean's division is in the scale
    assert_same_logits(lowered, finish(hardware(lowered)))


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(networks())
def test_exact(model):
    check(model)
