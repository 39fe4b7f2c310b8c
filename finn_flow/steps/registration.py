"""The steps by name, for FINN versions that do not resolve dotted paths."""

from __future__ import annotations

import importlib
import pkgutil

import finn_flow.steps
from finn_flow.steps.decorator import Step


def all_steps() -> dict[str, Step]:
    """Every step of this package by its name."""
    found: dict[str, Step] = {}
    for module_info in pkgutil.iter_modules(finn_flow.steps.__path__, "finn_flow.steps."):
        module = importlib.import_module(module_info.name)
        found |= {name: value for name, value in vars(module).items() if name.startswith("step_")}
    return found


def register_steps() -> None:
    """Add the steps to FINN's table, so that configs may call them `step_fold` instead of by dotted path."""
    from finn.builder.build_dataflow_steps import build_dataflow_step_lookup

    build_dataflow_step_lookup.update(all_steps())
