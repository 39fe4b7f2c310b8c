"""What FINN's own steps need before they take the hardware graph through Vivado."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from finn.util.multiprocessing import configure_start_method
from finn.util.settings import get_settings
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.finn_adapter.rtl_library import use_patched_library
from finn_flow.steps.decorator import build_step
from finn_flow.steps.loop_ip import GenerateLoopIP
from finn_flow.transformations.make_writable import all_nodes, is_writable

LIBRARY_FOLDER = "finn-rtllib"
HLS_LIBRARY, HLS_VARIABLE = "finn-hlslib", "FINN_CUSTOM_HLS"


@build_step
def step_prepare_ip(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Give FINN's steps the RTL library as it is simulated, and each ODE loop as one module; before `step_hw_codegen`.

    The library goes to `finn-rtllib/` in the output folder. FINN's worker processes are forked from here on: those that
    its command line would start afresh know neither this package's ops nor the library.

    Raises
    ------
    UserError
        The accelerator has writable parameters, whose port FINN's steps do not know; or Vivado is here, but not the HLS
        library that FINN's DMA channels need.
    """
    if any(is_writable(node) for node in all_nodes(model)):
        raise UserError(
            "FINN's steps do not know the port of writable parameters; make the bitfile from the package of a build "
            "with zcu104_adaptive.json"
        )
    hls_library = get_settings().finn_deps / HLS_LIBRARY
    if shutil.which("vivado") is not None and not hls_library.is_dir():
        raise UserError(
            f"{hls_library} is missing, which FINN's DMA channels need; fetch it with `finn deps update`, or make the "
            "bitfile from the package of a build with zcu104.json"
        )
    os.environ.setdefault(HLS_VARIABLE, get_settings().finn_custom_hls)
    configure_start_method("fork")
    use_patched_library(Path(cfg.output_dir) / LIBRARY_FOLDER)
    return model.transform(GenerateLoopIP(cfg._resolve_fpga_part(), cfg.synth_clk_period_ns))
