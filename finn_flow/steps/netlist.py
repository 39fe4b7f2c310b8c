"""From folded hardware nodes to a netlist."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build_folder import BuildFolder
from finn_flow.fifo_sizing.search import size_fifos
from finn_flow.files import atomic_write_json
from finn_flow.netlist.write import write_netlist
from finn_flow.steps.decorator import build_step

log = logging.getLogger(__name__)


@build_step
def step_size_fifos(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Insert FIFOs where simulation shows that they are needed, and set the loops' frames in flight.

    Writes `report/fifo_sizing.json`.
    """
    model, sizes = size_fifos(model, cfg._resolve_fpga_part(), cfg.synth_clk_period_ns, log.info)
    atomic_write_json(BuildFolder(Path(cfg.output_dir)).fifo_sizing, sizes.to_json())
    return model


@build_step
def step_write_netlist(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Write the Verilog netlist to `rtl/` in the output folder; it simulates with `dsode simulate`."""
    write_netlist(model, BuildFolder(Path(cfg.output_dir)).netlist, cfg._resolve_fpga_part(), cfg.synth_clk_period_ns)
    return model
