"""From integers to folded hardware nodes."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build_folder import BuildFolder
from finn_flow.errors import UserError
from finn_flow.files import atomic_write_json
from finn_flow.folding.config import Config, apply_folding_config, extract_folding, read_folding_config
from finn_flow.folding.target import (
    DEFAULT_SHARE,
    FoldingResult,
    InfeasibleTarget,
    fold_for_cycles,
    fold_for_share,
    fold_without_limits,
)
from finn_flow.steps.decorator import build_step
from finn_flow.transformations.bodies import loops
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
    """Choose PE, SIMD and memories of every node for `target_fps` with the least resources, and match stream widths.

    What `folding_config_file` sets stays, and the rest is chosen around it; without `target_fps` nothing else is.
    Writes what was chosen to `report/folding_config.json`, in the format of `folding_config_file`.
    """
    return _fold(model, cfg, None)


@build_step
def step_fold_for_latency(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Like `step_fold`, and a lone frame takes about one frame's time per loop: what feeds the loops is made faster."""
    return _fold(model, cfg, max(1, sum(1 for _ in loops(model))))


@build_step
def step_fold_for_estimates(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Like `step_fold`, also beyond what the board holds or any folding reaches: for estimates, which then say so."""
    pins = _apply_config(model, cfg)
    cycles = cfg._resolve_cycles_per_frame()
    if cycles is not None:
        _announce(fold_without_limits(model, cycles, cfg.board, cfg._resolve_fpga_part(), pins=pins), cfg)
    return _finish(model, cfg)


def _fold(model: ModelWrapper, cfg: Any, latency_frames: float | None) -> ModelWrapper:
    pins = _apply_config(model, cfg)
    if cfg.target_fps is not None:
        cycles, part = cfg._resolve_cycles_per_frame(), cfg._resolve_fpga_part()
        try:
            _announce(fold_for_cycles(model, cycles, cfg.board, part, latency_frames=latency_frames, pins=pins), cfg)
        except InfeasibleTarget as error:
            raise UserError(_missed(error, cfg)) from None
    return _finish(model, cfg)


@build_step
def step_fold_for_board(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Like `step_fold`, for the highest frame rate that fits into 70 % of each of the board's resources.

    `target_fps` is the least that will do; it is an error if the highest is below it.
    """
    pins = _apply_config(model, cfg)
    result = fold_for_share(model, cfg.board, cfg._resolve_fpga_part(), pins=pins)
    cycles = cfg._resolve_cycles_per_frame()
    if cycles is not None and result.cycles_per_frame > cycles:
        raise UserError(_missed(InfeasibleTarget(f"it is not within {DEFAULT_SHARE:.0%} of the board", result), cfg))
    _announce(result, cfg)
    return _finish(model, cfg)


def _apply_config(model: ModelWrapper, cfg: Any) -> Config:
    if cfg.folding_config_file is None:
        return {}
    return apply_folding_config(model, read_folding_config(cfg.folding_config_file))


def _finish(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    atomic_write_json(BuildFolder(Path(cfg.output_dir)).folding, extract_folding(model))
    return model.transform(InsertWidthConverters()).transform(NameNodes())


def _frames_per_second(cycles: int, cfg: Any) -> float:
    return 1e9 / (cfg.synth_clk_period_ns * cycles)


def _announce(result: FoldingResult, cfg: Any) -> None:
    rate = _frames_per_second(result.cycles_per_frame, cfg)
    log.info(f"folded for {rate:,.0f} frames/s ({result.cycles_per_frame:,} cycles), limited by {result.limited_by}")


def _missed(error: InfeasibleTarget, cfg: Any) -> str:
    allowed = f"target_fps={cfg.target_fps} allows {cfg._resolve_cycles_per_frame():,} cycles per frame"
    best = error.best
    if best is None:
        return f"{allowed}: {error}"
    rate = math.floor(_frames_per_second(best.cycles_per_frame, cfg))
    return (
        f"{allowed}: {error.reason}; the best that is feasible is {rate:,} frames/s "
        f"({best.cycles_per_frame:,} cycles per frame), limited by {best.limited_by}"
    )
