"""FINN's build configuration: reading it, and seeing which of its keys a build heeds."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from finn_flow.errors import UserError
from finn_flow.estimates.boards import BOARD_RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_NESTING = 20
MOST_VALUE = 10**9

HEEDED = frozenset(
    {
        # by FINN's builder itself
        "config_path", "model_path", "output_dir", "steps", "start_step", "stop_step", "inject_steps_before",
        "inject_steps_after", "save_intermediate_models", "verbose", "console_log_level", "enable_build_pdb_debug",
        "enable_exception_snapshots", "generate_outputs",
        # by `dsode build`
        "shell_flow_type", "verify_steps", "verify_input_npy", "verify_expected_output_npy", "verify_save_full_context",
        "verification_atol", "verification_rtol",
    }
)  # fmt: skip
"""Keys that are heeded whatever the steps are."""


def load_build_config(path: Path) -> Any:
    """Load a FINN `DataflowBuildConfig` from JSON or YAML.

    Raises
    ------
    UserError
        No such file, a syntax error, an unknown key, a wrong type, a step that does not exist, another platform than
        the ZCU104's. The message names the file.
    """
    from finn.builder.build_dataflow import resolve_build_steps
    from finn.builder.build_dataflow_config import DataflowBuildConfig, ShellFlowType
    from finn.util.exception import FINNError
    from mashumaro.exceptions import ExtraKeysError, InvalidFieldValue, MissingField

    if not path.is_file():
        raise UserError(f"{path}: no such build configuration")
    _check_nesting(path)
    try:
        config = DataflowBuildConfig.construct_from(path)
        resolve_build_steps(config)
    except ExtraKeysError as error:
        raise UserError(f"{path}: unknown key {', '.join(f'`{key}`' for key in sorted(error.extra_keys))}") from None
    except InvalidFieldValue as error:
        raise UserError(f"{path}: `{error.field_name}` must not be {error.field_value!r}") from None
    except MissingField as error:
        raise UserError(f"{path}: missing key `{error.field_name}`") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path}: not a JSON file: {error}") from None
    except (FINNError, ValueError, AttributeError, TypeError, OverflowError, yaml.YAMLError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    _check_values(path, config)
    if config.steps is None:
        raise UserError(f"{path}: missing key `steps`; start from build_configs/zcu104.json")
    if config.shell_flow_type not in (None, ShellFlowType.VIVADO_ZYNQ):
        raise UserError(f"{path}: `shell_flow_type` must be vivado_zynq, not {config.shell_flow_type.value}")
    return config


def _check_nesting(path: Path) -> None:
    """Refuse a YAML file that is nested so deeply that YAML's parser would overflow the stack of the process."""
    if path.suffix == ".json":
        return
    depth = 0
    try:
        for event in yaml.parse(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MOST_NESTING:
                raise UserError(f"{path}: nested more than {MOST_NESTING} levels deep")
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{path}: not a YAML file: {' '.join(str(error).split())}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def _check_values(path: Path, config: Any) -> None:
    """Refuse numbers with which no step could do anything, and boards whose resources are not known."""
    for name in ("target_fps", "synth_clk_period_ns"):
        value = getattr(config, name)
        if value is not None and not (math.isfinite(value) and 0 < value <= MOST_VALUE):
            raise UserError(f"{path}: `{name}` must be above 0 and at most {MOST_VALUE:,}, not {value}")
    if config.board is not None and config.board not in BOARD_RESOURCES:
        raise UserError(f"{path}: `board` must be one of {', '.join(BOARD_RESOURCES)}, not {config.board!r}")


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


class HeededKeys:
    """Notes which keys of a configuration the steps read while they run."""

    def __init__(self, config: Any) -> None:
        self._chosen = set(chosen_settings(config))
        self._read: set[str] = set()
        self._recording = False
        names, read = {field.name for field in fields(config)}, self._read
        heeded = self

        class Recording(type(config)):  # type: ignore[misc]
            def __getattribute__(self, name: str) -> Any:
                if name in names and heeded._recording:
                    read.add(name)
                return super().__getattribute__(name)

        config.__class__ = Recording

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Note what is read inside the block."""
        self._recording = True
        try:
            yield
        finally:
            self._recording = False

    def ignored(self) -> list[str]:
        """Return the keys that differ from FINN's defaults and that nothing has read."""
        return sorted(self._chosen - self._read - HEEDED)
