"""Running a FINN build configuration, with or without Vivado."""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finn_flow.build_config import HeededKeys, chosen_settings, load_build_config
from finn_flow.build_folder import GOLDEN_FILE, GOLDEN_NOTES_FILE, BuildFolder
from finn_flow.errors import FlowError, UserError
from finn_flow.files import atomic_path, atomic_write_json, check_writable_dir, file_sha256
from finn_flow.json_files import read_json_object_if_there
from finn_flow.progress import Progress

if TYPE_CHECKING:
    from finn_flow.proof import Proof

ROLLING_STEP = "step_roll_ode_blocks"
NETLIST_STEP = "step_write_netlist"

Check = Callable[[Any, bool], None]


@dataclass(frozen=True)
class BuildResult:
    """What a build made: its folder and the outputs that were left out for want of Vivado."""

    folder: Path
    left_out: list[str]


def prepare_model(path: Path, prepared: Path, roll: bool) -> None:
    """Write the model at `path` in its normal form to `prepared`, with its ODE blocks rolled if `roll`.

    FINN's builder reads models in a time quadratic in their nodes, so it gets the rolled one.

    Raises
    ------
    UserError
        A file that cannot be read, or a model that cannot be brought into this form. The message names it.
    """
    from finn_flow.model_file import load_model
    from finn_flow.transformations.normal_form import ToNormalForm
    from finn_flow.transformations.roll_ode_blocks import RollODEBlocks

    model = load_model(path)
    try:
        model, _ = ToNormalForm().apply(model)
        if roll:
            model, _ = RollODEBlocks().apply(model)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    with atomic_path(prepared) as temporary:
        model.save(str(temporary))


def build(config_path: Path, model_path: Path, folder: Path, progress: Progress) -> BuildResult:
    """Run the steps of a FINN build configuration on a QONNX model, through FINN's builder.

    Without Vivado the steps from the first that needs it on are left out, and there is no bitfile. `folder` receives
    FINN's outputs: reports, intermediate models, the build log; its report folder is emptied first. The configuration
    is kept in the reports.

    Parameters
    ----------
    progress
        Receives one line per step.

    Raises
    ------
    UserError
        Bad configuration or model, a folder that cannot be written, a model that the steps refuse.
    FlowError
        A step failed; the message names it and the log.
    """
    from finn_flow.finn_adapter.environment import ensure_finn

    ensure_finn()
    from finn.builder import build_dataflow
    from finn.util.exception import FINNError
    from qonnx.core.modelwrapper import ModelWrapper

    from finn_flow.finn_adapter.vendor_steps import runnable
    from finn_flow.proof import Proof
    from finn_flow.proof.finn_verification import FinnVerification
    from finn_flow.steps.registration import register_steps

    register_steps()
    config = load_build_config(config_path)
    check_writable_dir(folder)
    place = BuildFolder(folder)
    steps = build_dataflow.resolve_build_steps(config)
    prepare_model(model_path, place.rolled_model, roll=any(step.__name__ == ROLLING_STEP for step in steps))
    shutil.rmtree(place.reports, ignore_errors=True)
    atomic_write_json(place.configuration, chosen_settings(config))
    config.output_dir = str(folder)
    config.save_intermediate_models = True
    steps, left_out = runnable(steps)
    if left_out:
        # The builder's closing report wants a version of Vivado, whatever the steps were.
        build_dataflow.get_vivado_root = lambda: "no Vivado"
    proof, verification = Proof(model_path, progress), FinnVerification(config, model_path)
    keys = HeededKeys(config)

    def check(model: Any, last: bool = False) -> None:
        proof.check(model, last)
        verification.check(model, last)
        if last:
            verification.check_netlist(place.netlist)

    check(ModelWrapper(str(place.rolled_model)))
    failures: list[tuple[str, BaseException]] = []
    config.steps = [
        _observed(
            step,
            f"step {number}/{len(steps)} {step.__name__}",
            progress,
            failures,
            keys,
            proof,
            check,
            number == len(steps),
        )
        for number, step in enumerate(steps, start=1)
    ]
    streams = sys.stdout, sys.stderr
    try:
        with (folder / "console.log").open("w") as log, redirect_stdout(log):
            sys.stderr = log
            status = build_dataflow.build_dataflow_cfg(str(place.rolled_model), config)
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
    if ignored := keys.ignored():
        progress(f"warning: these keys of {config_path} change nothing in this build: {', '.join(ignored)}")
    atomic_write_json(place.proof, proof.to_json())
    take_golden_along(model_path, place)
    return BuildResult(folder, left_out)


def take_golden_along(model_path: Path, place: BuildFolder) -> None:
    """Copy the golden files beside a model into its build, if they were written with this very model.

    Later commands then compare with them and tell what the network was trained on.
    """
    notes = read_json_object_if_there(model_path.with_name(GOLDEN_NOTES_FILE)) or {}
    golden = model_path.with_name(GOLDEN_FILE)
    if not golden.is_file() or notes.get("model_sha256") != file_sha256(model_path):
        return
    for source, target in ((golden, place.golden), (golden.with_name(GOLDEN_NOTES_FILE), place.golden_notes)):
        if source.resolve() != target.resolve():
            with atomic_path(target) as temporary:
                shutil.copyfile(source, temporary)


def _observed(
    step: Any,
    label: str,
    progress: Progress,
    failures: list[tuple[str, BaseException]],
    keys: HeededKeys,
    proof: Proof,
    check: Check,
    last: bool,
) -> Any:
    """Wrap a step: announce it, check its result, keep its exception, which FINN's builder does not pass on."""
    terminal = sys.stderr  # the builder puts its own streams in place

    @functools.wraps(step)
    def observed(model: Any, cfg: Any) -> Any:
        with redirect_stderr(terminal):
            progress(label)
        try:
            if step.__name__ == NETLIST_STEP:
                with redirect_stderr(terminal):
                    proof.check(model, last=True)
            with keys.recording():
                model = step(model, cfg)
            with redirect_stderr(terminal):
                check(model, last)
            return model
        except BaseException as error:
            failures.append((step.__name__, error))
            raise

    return observed
