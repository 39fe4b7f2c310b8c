"""Graphs taken through the compiler, and whether they still give the same."""

from __future__ import annotations

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.execution import execute_batch, execute_hardware
from finn_flow.steps.frontend import step_lower_to_integers
from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.transformations.convert_to_hardware import ConvertToHardware
from finn_flow.transformations.insert_forks import InsertForks
from finn_flow.transformations.insert_width_converters import InsertWidthConverters
from finn_flow.transformations.name_nodes import NameNodes
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from finn_flow.transformations.select_labels import SelectLabels


def integers(model: ModelWrapper) -> ModelWrapper:
    return step_lower_to_integers.__wrapped__(model.transform(RollODEBlocks(require=False)), None)


def hardware(lowered: ModelWrapper) -> ModelWrapper:
    converted = lowered.transform(SelectLabels()).transform(ConvertToHardware())
    return converted.transform(InsertForks()).transform(NameNodes())


def finish(model: ModelWrapper) -> ModelWrapper:
    return model.transform(InsertWidthConverters()).transform(NameNodes())


def assert_same_logits(lowered: ModelWrapper, converted: ModelWrapper, seed: int = 0) -> None:
    shape = lowered.get_tensor_shape(lowered.graph.input[0].name)
    codes = np.random.default_rng(seed).integers(0, 256, (5, *shape[1:]))
    expected = execute_batch(lowered, codes).astype(np.int64)
    frames = np.moveaxis(codes, 1, -1).reshape(len(codes), *[*shape[2:], 1, 1][:2], shape[1])
    found = execute_hardware(converted, frames)
    np.testing.assert_array_equal(found["logits"], expected)
    np.testing.assert_array_equal(found["labels"], expected.argmax(axis=1))


def graphs(model: ModelWrapper) -> list[ModelWrapper]:
    return [model, *(loop_body(node) for node in loops(model))]
