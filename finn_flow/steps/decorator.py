"""What makes a function a build step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from finn.util.exception import FINNUserError
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import FlowError, UserError

Step = Callable[[ModelWrapper, Any], ModelWrapper]


def build_step(function: Step) -> Step:
    """Make `function` a step: the errors of this package become FINN's user errors, with the original as cause."""

    @functools.wraps(function)
    def step(model: ModelWrapper, cfg: Any) -> ModelWrapper:
        try:
            return function(model, cfg)
        except (UserError, FlowError) as error:
            raise FINNUserError(str(error)) from error

    return step
