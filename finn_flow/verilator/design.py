"""What to simulate: a top module, its sources, and its streams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from finn_flow.verilator.sources import Patch
from finn_flow.verilator.words import word_bytes


@dataclass(frozen=True)
class StreamPort:
    """One AXI4-Stream port of the top module.

    Parameters
    ----------
    name
        What results and messages call it.
    width_bits
        Payload bits of a word. The port may be padded up to the next multiple of 8.
    tdata, tvalid, tready
        Names of the module's ports; `{name}_TDATA`, `{name}_TVALID`, `{name}_TREADY` by default.
    """

    name: str
    width_bits: int
    tdata: str = ""
    tvalid: str = ""
    tready: str = ""

    def __post_init__(self) -> None:
        if self.width_bits < 1:
            raise ValueError(f"{self.name}: width_bits must be positive, not {self.width_bits}")
        for signal in ("tdata", "tvalid", "tready"):
            if not getattr(self, signal):
                object.__setattr__(self, signal, f"{self.name}_{signal.upper()}")

    @property
    def word_bytes(self) -> int:
        """Bytes of one word."""
        return word_bytes(self.width_bits)


@dataclass(frozen=True)
class Design:
    """A design to be simulated. All streams belong to the one clock.

    Parameters
    ----------
    top
        Name of the top module.
    sources
        Verilog and SystemVerilog files in any order; packages are put first, headers are found by includes.
    inputs, outputs
        The streams into and out of the design.
    parameters
        Top-level parameters.
    include_dirs
        Folders whose `*.vh` and `*.svh` may be included.
    defines
        Macros; `VERILATOR` is always defined.
    data_files
        Files that `$readmemh` reads under their base name, and folders in which it finds relative names. They are read
        when a simulation starts and are no part of the build.
    clock, reset, reset_active_low
        Clock and reset ports.
    clock2x
        Port of a clock of twice the frequency whose every other rising edge is the clock's.
    constants
        Values of further input ports; those not named are 0, or random where registers start with random values. Ports
        of more than 64 bits can only be 0.
    patch
        What to change in the sources before they are read.
    probes
        Output ports whose value is read at the end (FIFO occupancy, say).
    """

    top: str
    sources: Sequence[Path]
    inputs: Sequence[StreamPort]
    outputs: Sequence[StreamPort]
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    include_dirs: Sequence[Path] = ()
    defines: Mapping[str, str] = field(default_factory=dict)
    data_files: Sequence[Path] = ()
    clock: str = "ap_clk"
    reset: str = "ap_rst_n"
    reset_active_low: bool = True
    clock2x: str | None = None
    constants: Mapping[str, int] = field(default_factory=dict)
    probes: Sequence[str] = ()
    patch: Patch | None = None

    def __post_init__(self) -> None:
        names = [stream.name for stream in (*self.inputs, *self.outputs)]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"{self.top}: stream names must be unique, not repeat {', '.join(repeated)}")
        if not self.sources:
            raise ValueError(f"{self.top}: sources must not be empty")
