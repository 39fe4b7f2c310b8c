"""From integers to folded hardware nodes."""

from __future__ import annotations

import json
import logging
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.files import atomic_write_json
from finn_flow.folding.config import apply_folding_config, extract_folding
from finn_flow.folding.target import fold_for_cycles
from finn_flow.steps.decorator import build_step
from finn_flow.transformations.convert_to_hardware import ConvertToHardware
from finn_flow.transformations.insert_forks import InsertForks
from finn_flow.transformations.insert_width_converters import InsertWidthConverters
from finn_flow.transformations.name_nodes import NameNodes

log = logging.getLogger(__name__)


@build_step
def step_convert_to_hardware(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Every operation becomes a hardware node of FINN or of this project, in the loop bodies as well."""
    return model.transform(ConvertToHardware()).transform(InsertForks()).transform(NameNodes())


@build_step
def step_fold(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Choose PE and SIMD for ``target_fps``, let ``folding_config_file`` override them, and match stream widths.

    Writes what was chosen to ``report/folding_config.json``, in the format of ``folding_config_file``.
    """
    cycles = cfg._resolve_cycles_per_frame()
    if cycles is not None:
        for limit in fold_for_cycles(model, cycles):
            log.warning(
                f"{limit.node}: {limit.best_cycles} cycles at its most parallel, {limit.budget_cycles} allowed"
            )
    if cfg.folding_config_file is not None:
        apply_folding_config(model, json.loads(cfg.folding_config_file.read_text()))
    atomic_write_json(cfg.get_report_directory() / "folding_config.json", extract_folding(model))
    return model.transform(InsertWidthConverters()).transform(NameNodes())
