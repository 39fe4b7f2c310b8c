"""From folded hardware nodes to a netlist."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build_folder import BuildFolder
from finn_flow.errors import FlowError
from finn_flow.fifo_sizing.certificate import check_certificate
from finn_flow.fifo_sizing.search import size_fifos
from finn_flow.files import atomic_write_json
from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.write import write_netlist
from finn_flow.steps.decorator import build_step

log = logging.getLogger(__name__)


@build_step
def step_size_fifos(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Insert FIFOs where simulation shows that they are needed, and set the loops' frames in flight.

    Writes `report/fifo_sizing.json`, and `report/deadlock_certificate.json`, which shows that nothing gets stuck.
    """
    model, sizes, certificate = size_fifos(model, cfg._resolve_fpga_part(), cfg.synth_clk_period_ns, log.info)
    place = BuildFolder(Path(cfg.output_dir))
    atomic_write_json(place.fifo_sizing, sizes.to_json())
    certificate.save(place.deadlock_certificate)
    return model


@build_step
def step_write_netlist(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Write the Verilog netlist to `rtl/` in the output folder; it simulates with `dsode simulate`.

    The certificate, if there is one, is read again and held against the FIFOs of the netlist as it was written.
    """
    place = BuildFolder(Path(cfg.output_dir))
    write_netlist(model, place.netlist, cfg._resolve_fpga_part(), cfg.synth_clk_period_ns)
    check = check_certificate(place.deadlock_certificate, Netlist.load(place.netlist))
    if check is not None and check.stuck:
        raise FlowError(f"FIFOs are too shallow: {', '.join(check.stuck)} may wait for ever")
    return model
