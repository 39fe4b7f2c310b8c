"""The engine's own little test designs in `rtl/`."""

from pathlib import Path
from typing import Any

import numpy as np

from finn_flow.verilator import Design, StreamPort, pack

RTL = Path(__file__).with_name("rtl")


def port(name: str, width_bits: int) -> StreamPort:
    """Return a stream named as the cores name theirs."""
    return StreamPort(name, width_bits, f"{name}_tdata", f"{name}_tvalid", f"{name}_tready")


def core(top: str, input_bits: int = 8, output_bits: int = 8, **options: Any) -> Design:
    """Return a design with one input and one output."""
    return Design(
        top,
        [RTL / f"{top}.sv"],
        [port("s_axis", input_bits)],
        [port("m_axis", output_bits)],
        clock="clk",
        reset="rst",
        reset_active_low=False,
        **options,
    )


def passthrough(width_bits: int = 8, **parameters: int) -> Design:
    """Return a register stage."""
    return core("passthrough", width_bits, width_bits, parameters={"WIDTH": width_bits, **parameters}, probes=["count"])


def random_words(count: int, width_bits: int, seed: int = 0) -> np.ndarray:
    """Random words of a stream."""
    bits = np.random.default_rng(seed).integers(0, 2, (count, width_bits))
    return pack(bits, 1)
