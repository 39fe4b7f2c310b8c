"""FINN's own command line, with the Verilator back end loaded into it: it works without Vivado as far as can be."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import Any

from finn_flow.finn_adapter import xsi
from finn_flow.finn_adapter.vendor_steps import runnable


def run_finn(arguments: Sequence[str]) -> int:
    """Run `finn ARGUMENTS...` in this process and return its exit status.

    Where there is no Vivado, FINN is not asked to look for it or to fetch what only it needs, and a build ends before
    its first step that does, with a line that names the outputs left out.

    Parameters
    ----------
    arguments
        As for FINN's command: `build CONFIG MODEL`.
    """
    import finn.xsi
    from finn.interface import run_finn as command

    if shutil.which("vivado") is None:
        for name in xsi.NAMES:
            setattr(finn.xsi, name, getattr(xsi, name))
        finn.xsi.is_available = lambda: True
        command.prepare_finn = _nothing_to_prepare
        _end_before_vivado()
    before, sys.argv = sys.argv, ["finn", *arguments]
    try:
        command.main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    finally:
        sys.argv = before
    return 0


def _nothing_to_prepare(settings: Any, *_: Any) -> None:
    """Take the place of FINN's search for Vivado and of its downloads; the settings hold from here on."""
    import finn.util.settings as finn_settings

    finn_settings._SETTINGS = settings


def _end_before_vivado() -> None:
    from finn.builder import build_dataflow

    resolve, run = build_dataflow.resolve_build_steps, build_dataflow.build_dataflow_cfg

    def resolve_runnable(*arguments: Any, **options: Any) -> list[Any]:
        steps, left_out = runnable(resolve(*arguments, **options))
        print(f"Left out for want of Vivado: {', '.join(left_out)}")
        return steps

    def run_or_exit(*arguments: Any, **options: Any) -> int:
        status = int(run(*arguments, **options))
        if status:  # FINN's command would end with 0
            raise SystemExit(status)
        return status

    build_dataflow.resolve_build_steps = resolve_runnable
    build_dataflow.build_dataflow_cfg = run_or_exit
    # The builder's closing report wants a version of Vivado, whatever the steps were.
    build_dataflow.get_vivado_root = lambda: "no Vivado"
