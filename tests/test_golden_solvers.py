"""The golden chain of every solver, from Brevitas to the netlist on real images: one copy of the field for all."""

from pathlib import Path

import numpy as np
import pytest
import torch
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from brevitas_models.config import NetworkConfig
from brevitas_models.solvers import SOLVERS
from finn_flow.build import build
from finn_flow.build_folder import BuildFolder
from finn_flow.execution import execute_hardware
from finn_flow.export.network import export_network, make_golden
from finn_flow.export.qonnx import to_qonnx
from finn_flow.simulation.check import check_accelerator
from finn_flow.steps.frontend import step_lower_to_integers
from finn_flow.transformations.convert_to_hardware import ConvertToHardware
from finn_flow.transformations.interface import read_outputs
from finn_flow.verilator import Stall
from tests.briefly_trained import briefly_trained, digit_codes
from tests.places import BUILD_CONFIGS

IMAGES = 16
CONFIGS = {
    "midpoint": {"convolution": "dense", "time": "none", "batch_norm": "shared"},
    "heun": {"convolution": "dense"},
    "low_storage_rk3": {"batch_norm": "shared"},
    "rk4": {},
    "low_storage_rk4": {"convolution": "dense", "time": "none"},
}
"""Dense and depthwise separable, with and without time bias and batch-norm per iteration (both by default)."""


def built(config: NetworkConfig, folder: Path, mnist, usps) -> ModelWrapper:
    """Build a briefly trained network in `folder` and return its hardware graph."""
    torch.set_num_threads(1)
    network = briefly_trained(config, mnist["train"], steps=4)
    codes = digit_codes(usps["test"], config, IMAGES)
    golden = export_network(network, folder / "model.onnx", codes, usps["test"].labels[:IMAGES], {})
    assert len(np.unique(golden.logits, axis=0)) == IMAGES  # the images make a difference
    build(BUILD_CONFIGS / "zcu104.json", folder / "model.onnx", folder / "build", lambda line: None)
    return ModelWrapper(str(BuildFolder(folder / "build").graph))


@pytest.mark.parametrize("name", CONFIGS)
def test_the_netlist_is_exact(name, tmp_path, mnist, usps):
    config = NetworkConfig(in_channels=1, image_size=[8, 8], channels=[4], iterations=[2], solver=name, **CONFIGS[name])
    graph = built(config, tmp_path, mnist, usps)
    solver = SOLVERS[name]
    (loop,) = map(getCustomOp, graph.get_nodes_by_op_type("ODELoop_rtl"))
    assert loop.get_nodeattr("iterations") == 2 * solver.stages
    field = [node.op_type for node in loop.get_nodeattr("body").graph.node]
    layers = sum(map(field.count, ("MVAU_rtl", "CascadeMVAU_rtl", "ConstantMatrix_rtl", "DepthwiseConv_rtl")))
    assert layers == (2 if config.convolution == "dense" else 4)  # one copy of the field

    result = check_accelerator(tmp_path / "build", tmp_path / "golden.npz")
    assert (result.frames, result.mismatches) == (IMAGES, 0)
    assert result.cycles_per_frame == loop.get_exp_cycles()  # iterations x stages x interval
    stalled = check_accelerator(tmp_path / "build", tmp_path / "golden.npz", stall=Stall.random(0.3, 0.3, 1))
    assert (stalled.frames, stalled.mismatches) == (IMAGES, 0)


def test_every_solver_beyond_euler_is_here():
    assert set(CONFIGS) == set(SOLVERS) - {"euler"}


@pytest.mark.parametrize("solver", ["euler", "low_storage_rk3"])
def test_fields_of_their_own_stand_side_by_side(solver, mnist, usps):
    """Without rolling: every evaluation has weights and hardware of its own, from the same configuration."""
    torch.set_num_threads(1)
    config = NetworkConfig(
        in_channels=1,
        image_size=[6, 6],
        channels=[4],
        iterations=[2],
        convolution="dense",
        field_weights="per_iteration",
        solver=solver,
    )
    network = briefly_trained(config, mnist["train"], steps=2)
    codes = digit_codes(usps["test"], config, IMAGES)
    golden = make_golden(network, codes)
    integers = step_lower_to_integers.__wrapped__(to_qonnx(network), None)
    hardware = integers.transform(ConvertToHardware())
    matrices = hardware.get_nodes_by_op_type("MVAU_rtl")
    assert len(matrices) == 2 + 2 * 2 * SOLVERS[solver].stages  # first and last layer, two per evaluation
    logits = execute_hardware(hardware, codes)["logits"] * np.float32(read_outputs(integers)[0].scale[0])
    np.testing.assert_array_equal(logits, golden.logits)
