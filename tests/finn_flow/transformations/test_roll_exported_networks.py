"""RollODEBlocks on what the exporter writes: every block rolls, executes the same, and unrolls again."""

import pytest
import torch
from qonnx.core.modelwrapper import ModelWrapper

from brevitas_models.config import NetworkConfig
from brevitas_models.networks import quantized_network
from finn_flow.export.network import to_qonnx
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from finn_flow.transformations.unroll_ode_blocks import UnrollODEBlocks
from tests.finn_flow.transformations.qonnx_graphs import assert_same_execution, loop_bodies, loop_iterations


def exported(iterations: list[int], **options: str) -> ModelWrapper:
    """Return a small exported network whose weights, statistics and time biases are random."""
    torch.manual_seed(0)
    channels = [3, 4, 5][: len(iterations)]
    network = quantized_network(
        NetworkConfig(in_channels=1, image_size=[8, 8], channels=channels, iterations=iterations, **options)
    )
    for name, tensor in network.state_dict().items():
        if "norm" in name and tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    model = to_qonnx(network)
    model.rename_tensor(model.graph.input[0].name, "x")
    return model


@pytest.mark.parametrize(
    ("iterations", "convolution", "time", "batch_norm"),
    [
        ([2], "depthwise_separable", "none", "shared"),
        ([3, 2], "dense", "bias", "per_iteration"),
    ],
)
def test_every_block_rolls(iterations, convolution, time, batch_norm):
    model = exported(iterations, convolution=convolution, time=time, batch_norm=batch_norm)
    rolled = model.transform(RollODEBlocks())
    assert loop_iterations(rolled) == iterations
    assert_same_execution(model, rolled)
    convolutions = 2 if convolution == "dense" else 4
    for loop, body in zip(rolled.get_nodes_by_op_type("ODELoop"), loop_bodies(rolled), strict=True):
        assert len(body.get_nodes_by_op_type("Conv")) == convolutions
        assert (len(loop.input) > 1) == (time == "bias" or batch_norm == "per_iteration")
    assert_same_execution(model, rolled.transform(UnrollODEBlocks(duplicate_weights=True)))
