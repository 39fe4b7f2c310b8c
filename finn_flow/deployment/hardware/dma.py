"""The DMA channels' sources for one accelerator."""

from __future__ import annotations

import hashlib
from pathlib import Path

from finn_flow.netlist.netlist import Netlist
from finn_flow.templates import fill_template

RTL = Path(__file__).parent / "rtl"
CORES = ("dma_fifo.sv", "dma_registers.sv", "idma_core.sv", "odma_core.sv")
INPUT_TEMPLATE, OUTPUT_TEMPLATE = "dsode_idma.v.in", "dsode_odma.v.in"


def build_id(netlist: Netlist) -> int:
    """Return a 32-bit number, never 0, that is the same for the same netlist and, in all likelihood, for no other."""
    digest = hashlib.sha256()
    for name in sorted((*netlist.sources, *netlist.data_files)):
        digest.update(f"{name}\0".encode() + (netlist.folder / name).read_bytes() + b"\0")
    return int.from_bytes(digest.digest()[:4], "big") or 1


def dma_sources(netlist: Netlist, number: int) -> dict[str, str]:
    """Return the text of each source by file name: both channels for the netlist, answering `number`."""
    (source,), (sink,) = netlist.inputs.values(), netlist.outputs.values()
    sources = {name: (RTL / name).read_text() for name in CORES}
    for template, stream in ((INPUT_TEMPLATE, source), (OUTPUT_TEMPLATE, sink)):
        values = {
            "STREAM_BYTES": str(stream.tdata_bits // 8),
            "FRAME_WORDS": str(stream.words),
            "BUILD_ID": f"{number:08x}",
        }
        sources[template.removesuffix(".in")] = fill_template(RTL / template, values)
    return sources
