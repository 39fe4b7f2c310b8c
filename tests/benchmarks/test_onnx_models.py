"""What ONNX Runtime is given is the same network."""

import numpy as np

from benchmarks.common.onnx_models import float_onnx, quantised_onnx
from benchmarks.software import in_onnx_runtime, in_pytorch
from brevitas_models.config import NetworkConfig
from brevitas_models.networks import float_network
from brevitas_models.untrained import smooth_images, untrained_network
from finn_flow.export.network import make_golden, network_values

CONFIG = NetworkConfig(in_channels=1, image_size=[8, 6], channels=[3], iterations=[2])
IMAGES = smooth_images(CONFIG, 5, seed=1)


def test_the_quantised_model_is_exact():
    network = untrained_network(CONFIG, seed=0)
    run = in_onnx_runtime(quantised_onnx(network).SerializeToString(), 1)
    golden = make_golden(network, IMAGES)
    images = network_values(golden.inputs)
    np.testing.assert_array_equal(run(images), golden.logits)
    np.testing.assert_array_equal(run(images[:1]), golden.logits[:1])


def test_the_float_model_is_the_float_network():
    network = float_network(CONFIG).eval()
    run = in_onnx_runtime(float_onnx(network).SerializeToString(), 1)
    images = network_values(IMAGES)
    expected = in_pytorch(network, 1)(images)
    np.testing.assert_allclose(run(images), expected, atol=1e-5)
    np.testing.assert_allclose(run(images[:1]), expected[:1], atol=1e-5)
