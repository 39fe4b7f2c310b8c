"""Resources of a synthesised module, counted in the units of the device's data sheet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from finn_flow.errors import FlowError

LABEL = "open-synthesis estimate (Yosys), not calibrated against Vivado"
"""What every figure of this package is; printed and stored beside it."""

_LUTS = {"LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6", "LUT6_2", "INV"}
_SHIFT_REGISTERS = {"SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1}
_FLIP_FLOPS = {"FDRE", "FDSE", "FDCE", "FDPE", "LDCE", "LDPE"}
_DISTRIBUTED_RAMS = {
    "RAM32X1S": 1,
    "RAM64X1S": 1,
    "RAM128X1S": 2,
    "RAM256X1S": 4,
    "RAM512X1S": 8,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "RAM256X1D": 8,
    "RAM64X8SW": 8,
    "RAM32X16DR8": 8,
}
# Output ports -> output bits that one LUT stores; the write port takes one LUT more.
_WIDE_RAMS = {"RAM32M": 2, "RAM32M16": 2, "RAM64M": 1, "RAM64M8": 1}
_ANNOTATIONS = {"$scopeinfo", "$meminfo"}
_FREE = {"MUXF7", "MUXF8", "MUXF9", "VCC", "GND", "BUFG", "BUFGCE", "IBUF", "OBUF"}


@dataclass(frozen=True)
class Resources:
    """What a module takes on an UltraScale+ device, as an open synthesis tool maps it.

    Figures of an open tool, not calibrated against Vivado; see `LABEL`.

    Parameters
    ----------
    lut_logic
        LUTs that compute; two functions are never put into one LUT.
    lutram
        LUTs of distributed memories.
    srl
        LUTs of shift registers.
    ff
        Flip-flops; those that Vivado would move into a DSP or a BRAM are included.
    carry8
        Carry chains in units of eight bits.
    dsp48e2
        DSP slices.
    bram36
        36 kbit block RAMs, halves being RAMB18.
    uram288
        288 kbit ultra RAMs.
    """

    lut_logic: int = 0
    lutram: int = 0
    srl: int = 0
    ff: int = 0
    carry8: int = 0
    dsp48e2: int = 0
    bram36: float = 0.0
    uram288: int = 0

    @property
    def lut_total(self) -> int:
        """All LUTs."""
        return self.lut_logic + self.lutram + self.srl

    def __add__(self, other: Resources) -> Resources:
        return Resources(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def __mul__(self, count: int) -> Resources:
        return Resources(*(getattr(self, field.name) * count for field in fields(self)))

    def to_json(self) -> dict[str, float]:
        """Return all figures by name, `lut_total` among them."""
        return {**asdict(self), "lut_total": self.lut_total}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Resources:
        """Return the resources that `to_json` gave."""
        return cls(**{field.name: value[field.name] for field in fields(cls)})


def total(resources: Iterable[Resources]) -> Resources:
    """Return the sum."""
    return sum(resources, Resources())


def count_resources(module: Mapping[str, Any]) -> Resources:
    """Return the resources of a flat netlist of UltraScale+ primitives.

    Parameters
    ----------
    module
        As Yosys writes it in JSON: "cells" with type and connections by name, and "ports".

    Raises
    ------
    FlowError
        A cell is of no known primitive, so something was not mapped.
    """
    cells = {name: cell for name, cell in module["cells"].items() if cell["type"] not in _ANNOTATIONS}
    types = Counter(cell["type"] for cell in cells.values())
    known = {*_LUTS, *_SHIFT_REGISTERS, *_FLIP_FLOPS, *_DISTRIBUTED_RAMS, *_WIDE_RAMS, *_FREE}
    known |= {"CARRY4", "CARRY8", "DSP48E2", "RAMB18E2", "RAMB36E2", "URAM288", "URAM288_BASE"}
    unknown = sorted(set(types) - known)
    if unknown:
        raise FlowError(f"synthesis left cells that are no primitives of the device: {', '.join(unknown)}")
    lutram = sum(luts * types[name] for name, luts in _DISTRIBUTED_RAMS.items())
    wide = [cell for cell in cells.values() if cell["type"] in _WIDE_RAMS]
    if wide:
        ends = Counter(bit for cell in cells.values() for bits in cell["connections"].values() for bit in set(bits))
        ends.update(bit for port in module["ports"].values() for bit in set(port["bits"]))
        lutram += sum(_luts_of_wide_ram(cell, ends) for cell in wide)
    return Resources(
        lut_logic=sum(types[name] for name in _LUTS),
        lutram=lutram,
        srl=sum(luts * types[name] for name, luts in _SHIFT_REGISTERS.items()),
        ff=sum(types[name] for name in _FLIP_FLOPS),
        carry8=types["CARRY8"] + _fold_carry_chains(cells),
        dsp48e2=types["DSP48E2"],
        bram36=types["RAMB36E2"] + types["RAMB18E2"] / 2,
        uram288=types["URAM288"] + types["URAM288_BASE"],
    )


def _luts_of_wide_ram(cell: Mapping[str, Any], ends: Mapping[int | str, int]) -> int:
    """Return the LUTs of a RAM32M16 or of its kind: unread outputs are trimmed, the write address takes one LUT.

    `ends` counts the cells and ports on each net.
    """
    per_lut = _WIDE_RAMS[cell["type"]]
    luts = 0
    for port, bits in cell["connections"].items():
        if port.startswith("DO"):
            luts += math.ceil(sum(isinstance(bit, int) and ends[bit] > 1 for bit in bits) / per_lut)
    return min(luts + 1, 8 if cell["type"] in ("RAM32M16", "RAM64M8") else 4)


def _fold_carry_chains(cells: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the CARRY8 that the CARRY4 chains come down to: a chain of n takes half of n, rounded up."""
    carries = [cell["connections"] for cell in cells.values() if cell["type"] == "CARRY4"]
    after = {carry["CI"][0]: carry["CO"][3] for carry in carries if isinstance(carry["CI"][0], int)}
    outputs = {carry["CO"][3] for carry in carries}
    blocks = 0
    for carry in carries:
        if carry["CI"][0] in outputs:
            continue
        length = 1
        link = carry["CO"][3]
        while isinstance(link, int) and link in after:
            length += 1
            link = after[link]
        blocks += math.ceil(length / 2)
    return blocks
