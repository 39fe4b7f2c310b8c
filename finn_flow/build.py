"""Running a FINN build configuration, with or without Vivado."""

from __future__ import annotations

import functools
import json
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from finn_flow.build_folder import BuildFolder
from finn_flow.errors import FlowError, UserError
from finn_flow.files import atomic_path, atomic_write_json, check_writable_dir
from finn_flow.progress import Progress

BITFILE = "bitfile"

VENDOR_STEPS = {
    "step_hw_ipgen": "generated IP",
    "step_generate_hardware": "generated IP",
    "step_create_stitched_ip": "stitched IP",
    "step_out_of_context_synthesis": "out-of-context synthesis results",
    "step_prepare_synthesis": "the ZYNQ project",
    "step_synthesize_bitfile": BITFILE,
    "step_make_driver": "the settings of FINN's driver",
    "step_deployment_package": "FINN's deployment package",
}
"""FINN steps that need Vivado, and what they make."""


@dataclass(frozen=True)
class BuildResult:
    """What a build made: its folder and the outputs that were left out for want of Vivado."""

    folder: Path
    left_out: list[str]


def load_build_config(path: Path) -> Any:
    """Load a FINN ``DataflowBuildConfig`` from JSON or YAML.

    Raises
    ------
    UserError : no such file, a syntax error, an unknown key, a wrong type, a step that does not exist. The message
        names the file.
    """
    from finn.builder.build_dataflow import resolve_build_steps
    from finn.builder.build_dataflow_config import DataflowBuildConfig
    from finn.util.exception import FINNError
    from mashumaro.exceptions import ExtraKeysError, InvalidFieldValue, MissingField

    if not path.is_file():
        raise UserError(f"{path}: no such build configuration")
    try:
        config = DataflowBuildConfig.construct_from(path)
        resolve_build_steps(config)
    except ExtraKeysError as error:
        raise UserError(f"{path}: unknown key {', '.join(f'`{key}`' for key in sorted(error.extra_keys))}") from None
    except InvalidFieldValue as error:
        raise UserError(f"{path}: `{error.field_name}` must not be {error.field_value!r}") from None
    except MissingField as error:
        raise UserError(f"{path}: missing key `{error.field_name}`") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a JSON file: {error}") from None
    except (FINNError, ValueError, AttributeError, TypeError) as error:
        raise UserError(f"{path}: {error}") from None
    if config.steps is None:
        raise UserError(f"{path}: missing key `steps`; start from build_configs/zcu104.json")
    return config


def chosen_settings(config: Any) -> dict[str, Any]:
    """Return the settings of a build configuration that differ from FINN's defaults, without its places."""
    defaults = {field.name: field.default for field in fields(config)}
    return {
        name: value
        for name, value in config.to_dict().items()
        if value not in (None, {})
        and getattr(config, name) != defaults[name]
        and name not in ("config_path", "output_dir")
    }


def roll_model(path: Path, rolled: Path) -> None:
    """Write the model at ``path`` with its ODE blocks rolled to ``rolled``.

    FINN's builder reads models in a time quadratic in their nodes, so it gets the rolled one.

    Raises
    ------
    UserError : no such file, not ONNX, an empty graph, no ODE block.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from qonnx.core.modelwrapper import ModelWrapper

    from finn_flow.transformations.roll_ode_blocks import RollODEBlocks

    if not path.is_file():
        raise UserError(f"{path}: no such model")
    try:
        proto = onnx.load(str(path))
    except DecodeError:
        raise UserError(f"{path}: not an ONNX file; export one with `dsode export`") from None
    if not proto.graph.node:
        raise UserError(f"{path}: an empty graph; export one with `dsode export`")
    try:
        model, _ = RollODEBlocks().apply(ModelWrapper(proto, fix_missing_initializer_valueinfo=False))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    with atomic_path(rolled) as temporary:
        model.save(str(temporary))


def build(config_path: Path, model_path: Path, folder: Path, progress: Progress) -> BuildResult:
    """Run the steps of a FINN build configuration on a QONNX model, through FINN's builder.

    Without Vivado the steps from the first that needs it on are left out, and there is no bitfile. ``folder`` receives
    FINN's outputs: reports, intermediate models, the build log; its report folder is emptied first. The configuration
    is kept in the reports.

    Parameters
    ----------
    progress : receives one line per step.

    Raises
    ------
    UserError : bad configuration or model, a folder that cannot be written, a model that the steps refuse.
    FlowError : a step failed; the message names it and the log.
    """
    from finn_flow.finn_adapter.environment import ensure_finn

    ensure_finn()
    from finn.builder import build_dataflow
    from finn.util.exception import FINNError

    from finn_flow.steps.registration import register_steps

    register_steps()
    config = load_build_config(config_path)
    check_writable_dir(folder)
    place = BuildFolder(folder)
    rolled = place.rolled_model
    roll_model(model_path, rolled)
    shutil.rmtree(place.reports, ignore_errors=True)
    atomic_write_json(place.configuration, chosen_settings(config))
    config.output_dir = str(folder)
    config.save_intermediate_models = True
    steps = build_dataflow.resolve_build_steps(config)
    left_out = []
    if shutil.which("vivado") is None:
        names = [step.__name__ for step in steps]
        left_out = sorted({BITFILE, *(VENDOR_STEPS[name] for name in names if name in VENDOR_STEPS)})
        steps = steps[: next((index for index, name in enumerate(names) if name in VENDOR_STEPS), len(steps))]
        # The builder's closing report wants a version of Vivado, whatever the steps were.
        build_dataflow.get_vivado_root = lambda: "no Vivado"
    failures: list[tuple[str, BaseException]] = []
    config.steps = [
        _observed(step, f"step {number}/{len(steps)} {step.__name__}", progress, failures)
        for number, step in enumerate(steps, start=1)
    ]
    streams = sys.stdout, sys.stderr
    try:
        with (folder / "console.log").open("w") as log, redirect_stdout(log):
            sys.stderr = log
            status = build_dataflow.build_dataflow_cfg(str(rolled), config)
    except FINNError:
        if not failures:
            raise
    finally:
        sys.stdout, sys.stderr = streams
    if failures:
        name, error = failures[0]
        if isinstance(error, KeyboardInterrupt):
            raise error
        cause = error.__cause__ if isinstance(error.__cause__, UserError | FlowError) else error
        if isinstance(cause, UserError):
            raise UserError(f"{model_path}: {cause}")
        raise FlowError(f"{name} failed: {cause}; see {folder / 'build_dataflow.log'}") from error
    if status != 0:
        raise FlowError(f"the build failed; see {folder / 'build_dataflow.log'}")
    return BuildResult(folder, left_out)


def _observed(step: Any, label: str, progress: Progress, failures: list[tuple[str, BaseException]]) -> Any:
    """Wrap a step: announce it, and keep its exception, which FINN's builder reports but does not pass on."""
    terminal = sys.stderr  # the builder puts its own streams in place

    @functools.wraps(step)
    def observed(model: Any, cfg: Any) -> Any:
        with redirect_stderr(terminal):
            progress(label)
        try:
            return step(model, cfg)
        except BaseException as error:
            failures.append((step.__name__, error))
            raise

    return observed
