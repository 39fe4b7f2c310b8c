"""The flow without loops gives the same logits."""

import numpy as np
import pytest

from benchmarks.common.unrolling import unrolled_steps
from benchmarks.rolled_unrolled import FORMS, hardware_graph
from brevitas_models.config import NetworkConfig
from brevitas_models.untrained import smooth_images, untrained_network
from finn_flow.execution import execute_hardware
from finn_flow.export.network import make_golden
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.transformations.bodies import loops

CONFIG = NetworkConfig(in_channels=1, image_size=[8, 6], channels=[3], iterations=[2])


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_give_brevitas_logits(form):
    ensure_finn()
    model = hardware_graph(CONFIG, form)
    assert len(list(loops(model))) == (form == "rolled")
    golden = make_golden(untrained_network(CONFIG, seed=0), smooth_images(CONFIG, 4, seed=1))
    found = execute_hardware(model, golden.inputs)
    np.testing.assert_array_equal(found["labels"], golden.logits.argmax(axis=1))
    scales = np.unique(golden.logits[found["logits"] != 0] / found["logits"][found["logits"] != 0])
    assert len(scales) == 1


def test_the_step_follows_the_rolling():
    from finn.builder.build_dataflow import resolve_build_steps
    from finn.builder.build_dataflow_config import DataflowBuildConfig

    ensure_finn()
    steps = unrolled_steps()
    config = DataflowBuildConfig(output_dir="unused", steps=steps, synth_clk_period_ns=5.0, generate_outputs=[])
    names = [step.__name__ for step in resolve_build_steps(config)]
    assert names[:3] == ["step_roll_ode_blocks", "step_unroll_ode_blocks", "step_lower_to_integers"]
