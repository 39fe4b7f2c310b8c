"""Which of FINN's steps need Vivado, and what is left of a build without them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from typing import Any

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

Step = Callable[..., Any]


def runnable(steps: Sequence[Step]) -> tuple[list[Step], list[str]]:
    """Return the steps that can run here, and the outputs that are left out for want of Vivado, sorted.

    Without Vivado a build ends before the first step that needs it. That there is no bitfile goes without saying only
    where Vivado is.
    """
    if shutil.which("vivado") is not None:
        return list(steps), []
    names = [step.__name__ for step in steps]
    left_out = sorted({BITFILE, *(VENDOR_STEPS[name] for name in names if name in VENDOR_STEPS)})
    end = next((index for index, name in enumerate(names) if name in VENDOR_STEPS), len(steps))
    return list(steps[:end]), left_out
