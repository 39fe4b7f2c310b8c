"""`settings.json`, by which FINN's stock driver (`finn-plus-driver`) knows the accelerator."""

from __future__ import annotations

from typing import Any

from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.structure import Stream


def finn_settings(netlist: Netlist) -> dict[str, Any]:
    """Return what FINN's own flow would write for an accelerator with one input and one output."""
    (source,), (sink,) = netlist.inputs.values(), netlist.outputs.values()
    shapes: dict[str, Any] = {
        **_tensor("i", source, "idma0"),
        **_tensor("o", sink, "odma0"),
        "num_inputs": 1,
        "num_outputs": 1,
        "number_of_external_weights": 0,
        "external_weights_input_shapes": {},
    }
    return {
        "driver_information": {
            "driver_type": "FINNDMAOverlay",
            "platform": "zynq-iodma",
            "io_shape_dict": shapes,
            "external_weights": False,
            "runtime_weights": False,
            "fclk_mhz": 1e3 / netlist.clk_ns,
        }
    }


def _tensor(prefix: str, stream: Stream, channel: str) -> dict[str, Any]:
    words = (*stream.shape[:-1], stream.shape[-1] // stream.pe)
    return {
        f"{prefix}dt": [f"DataType['{stream.datatype}']"],
        f"{prefix}dma_names": [channel],
        f"{prefix}shape_normal": [list(stream.shape)],
        f"{prefix}shape_folded": [[*words, stream.pe]],
        f"{prefix}shape_packed": [[*words, stream.tdata_bits // 8]],
    }
