"""Delays of UltraScale+ primitives and nets, in nanoseconds, with their sources. An estimate: treat it as +-25 %.

Sources
-------
[R] Vivado 2021.2 reports of routed designs on an xczu3eg-1 (github.com/gussmith23/lakeroad-evaluation). Speed grade -1
    is slower than the -2 of the ZCU104, so its figures are on the safe side.
[F] FloPoCo's model of UltraScale+, speed grade -2 (`VirtexUltrascalePlus.cpp`).
[U] AMD UG949: a block RAM's clock to output, with and without its output register.
[A] No published figure was found: an assumption, above what is usual for the family.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL = "delay model of an open tool (UltraScale+, +-25 %), not Vivado's"
"""What every figure of this package is; printed and stored beside it."""

NET, NET_PER_DOUBLING = 0.22, 0.085
"""A net of one load, and what each doubling of the loads adds. Small routed designs have less [R]: 0.03 to 0.46."""
DEDICATED_NET = 0.02
"""Inside a slice: from LUT to carry chain or MUXF, from one carry block to the next [R]."""

FF_CLOCK_TO_OUTPUT, FF_SETUP, FF_CONTROL_SETUP = 0.10, 0.03, 0.06
"""[R]: 0.096 and below 0.03; clock enable and reset [A]."""
LUT = 0.15
"""[F]; 0.04 to 0.18, by pin [R]."""
CARRY_ENTRY, CARRY_STEP, CARRY_IN = 0.15, 0.015, 0.03
"""S to CO of six places higher 0.238, CI to the eighth O 0.146 [R]; the step also in [F]."""
MUXF_DATA, MUXF_SELECT = 0.06, 0.12
LUTRAM_CLOCK_TO_OUTPUT, LUTRAM_SETUP = 0.50, 0.15
"""Distributed memory and shift registers [A]; an address goes through like a LUT's input."""
BRAM_CLOCK_TO_OUTPUT, BRAM_REGISTERED, BRAM_SETUP = 1.15, 0.40, 0.30
"""[F]; with its output register [U]; set-up [A]."""
URAM_CLOCK_TO_OUTPUT, URAM_REGISTERED, URAM_SETUP = 1.40, 0.45, 0.30
"""[A]"""
DSP_INPUT, DSP_PREADDER, DSP_MULTIPLIER, DSP_PRODUCT, DSP_ALU, DSP_OUTPUT = 0.195, 0.092, 0.737, 0.059, 0.699, 0.159
"""The stages of a DSP48E2 in the order in which data passes them [R]."""
DSP_SETUP = 0.10
"""[A]"""

CLOCKS = frozenset({"C", "CLK", "WCLK", "CLKARDCLK", "CLKBWRCLK"})
_LUTRAM = re.compile(r"RAM(32|64|128|256|512)")
_LUT = re.compile(r"LUT[1-6](_2)?$|INV$")
DRIVES_DEDICATED = re.compile(r"LUT|INV|CARRY|MUXF")


@dataclass(frozen=True)
class Arc:
    """Delay from an input to an output; of carry chains only upwards, with a step for each place."""

    delay: float
    step: float = 0.0

    def between(self, input_index: int, output_index: int) -> float | None:
        """Return the delay between two bits, or None where there is no way."""
        if not self.step:
            return self.delay
        places = output_index - input_index
        return self.delay + self.step * places if places >= 0 else None


@dataclass(frozen=True)
class CellTiming:
    """How signals start, pass and end at a cell.

    Parameters
    ----------
    launch
        Clock to output, by output port.
    through
        What passes without a clock, by input and output port.
    capture
        Set-up time, by input port.
    """

    launch: Mapping[str, float] = field(default_factory=dict)
    through: Mapping[tuple[str, str], Arc] = field(default_factory=dict)
    capture: Mapping[str, float] = field(default_factory=dict)


def net_delay(loads: int) -> float:
    """Return the delay of a net with so many loads, >= 0."""
    return NET + NET_PER_DOUBLING * math.log2(max(1, loads))


def is_dedicated(cell_type: str, port: str) -> bool:
    """Return whether an input is reached inside the slice where a LUT, carry or MUXF drives it."""
    return (cell_type.startswith("CARRY") and port in ("S", "CI")) or (
        cell_type.startswith("MUXF") and port in ("I0", "I1")
    )


def cell_timing(cell_type: str, parameters: Mapping[str, Any], inputs: list[str], outputs: list[str]) -> CellTiming:
    """Return the timing of a primitive.

    Parameters
    ----------
    parameters
        As Yosys writes them: numbers as strings of bits.
    inputs, outputs
        The cell's connected ports, clocks excepted.
    """
    if _LUT.match(cell_type):
        return CellTiming(through=_all(inputs, outputs, LUT))
    if cell_type.startswith(("FD", "LD")):
        return CellTiming(
            {"Q": FF_CLOCK_TO_OUTPUT}, {}, {p: FF_SETUP if p == "D" else FF_CONTROL_SETUP for p in inputs}
        )
    if cell_type in ("CARRY4", "CARRY8"):
        entry = {(i, o): Arc(CARRY_ENTRY, CARRY_STEP) for i in ("S", "DI") for o in ("O", "CO")}
        first = {(i, o): Arc(CARRY_IN + CARRY_STEP, CARRY_STEP) for i in ("CI", "CYINIT") for o in ("O", "CO")}
        return CellTiming(through={pair: arc for pair, arc in {**entry, **first}.items() if pair[0] in inputs})
    if cell_type.startswith("MUXF"):
        return CellTiming(through={(p, "O"): Arc(MUXF_SELECT if p == "S" else MUXF_DATA) for p in inputs})
    if cell_type.startswith("SRL"):
        return _lutram([p for p in inputs if p.startswith("A")], inputs, outputs)
    if _LUTRAM.match(cell_type):
        read = [
            p for p in inputs if re.match(r"DPRA|ADDR[A-H]$", p) or (re.match(r"A\d?$", p) and "DPO" not in outputs)
        ]
        return _lutram(read, inputs, outputs)
    if cell_type.startswith("RAMB"):
        registered = {side: _number(parameters, f"DO{side}_REG") == 1 for side in "AB"}
        launch = {}
        for port in outputs:
            launch[port] = BRAM_REGISTERED if registered["B" if "B" in port[4:] else "A"] else BRAM_CLOCK_TO_OUTPUT
        return CellTiming(launch, {}, dict.fromkeys(inputs, BRAM_SETUP))
    if cell_type.startswith("URAM"):
        both = {side: "TRUE" in str(parameters.get(f"OREG_{side}", "")) for side in "AB"}
        launch = {p: URAM_REGISTERED if both.get(p[-1], False) else URAM_CLOCK_TO_OUTPUT for p in outputs}
        return CellTiming(launch, {}, dict.fromkeys(inputs, URAM_SETUP))
    if cell_type == "DSP48E2":
        return _dsp(parameters, inputs, outputs)
    return CellTiming()


def _all(inputs: list[str], outputs: list[str], delay: float) -> dict[tuple[str, str], Arc]:
    return {(i, o): Arc(delay) for i in inputs for o in outputs}


def _lutram(addresses: list[str], inputs: list[str], outputs: list[str]) -> CellTiming:
    """Return the timing of a memory that is read without a clock and written with one."""
    launch = dict.fromkeys(outputs, LUTRAM_CLOCK_TO_OUTPUT)
    return CellTiming(launch, _all(addresses, outputs, LUT), dict.fromkeys(inputs, LUTRAM_SETUP))


def _dsp(parameters: Mapping[str, Any], inputs: list[str], outputs: list[str]) -> CellTiming:
    """Return the timing of a DSP48E2: its stages from an input up to the first register, or to the output."""
    multiplies = "NONE" not in str(parameters.get("USE_MULT", "MULTIPLY"))
    # Stages as (delay, name of the parameter of the register behind them).
    product = [(DSP_PREADDER, "ADREG"), (DSP_MULTIPLIER + DSP_PRODUCT, "MREG")] if multiplies else []
    sum_ = [(DSP_ALU, "PREG")]
    ways: dict[str, list[tuple[float, str]]] = {
        "A": [(DSP_INPUT, "AREG"), *product, *sum_],
        "B": [(DSP_INPUT, "BREG"), *product[1:], *sum_],
        "D": [(DSP_INPUT, "DREG"), *product, *sum_],
        "C": [(DSP_INPUT, "CREG"), *sum_],
        "PCIN": sum_,
        "ACIN": [*product, *sum_],
        "BCIN": [*product[1:], *sum_],
        "CARRYIN": [(DSP_INPUT, "CARRYINREG"), *sum_],
        "OPMODE": [(DSP_INPUT, "OPMODEREG"), *sum_],
        "ALUMODE": [(DSP_INPUT, "ALUMODEREG"), *sum_],
        "INMODE": [(DSP_INPUT, "INMODEREG"), *product, *sum_],
    }
    adds = "AD" in (parameters.get("AMULTSEL"), parameters.get("BMULTSEL"))
    results = [port for port in outputs if port not in ("ACOUT", "BCOUT")]
    launch: dict[str, float] = {}
    through: dict[tuple[str, str], Arc] = {}
    # Clock enables and resets, and the selection of carries, are not followed inside.
    capture = {port: DSP_SETUP for port in inputs if port not in ways}
    for port in ways.keys() & set(inputs):
        total = 0.0
        for delay, register in ways[port]:
            if (adds or register != "ADREG") and _number(parameters, register, 1) > 0:
                # An input's own register is in front of its first stage.
                capture[port] = DSP_SETUP + (0.0 if delay == DSP_INPUT else total + delay)
                break
            total += delay
        else:
            through |= {(port, output): Arc(total + DSP_OUTPUT) for output in results}
    for output in results:
        launch[output] = _dsp_launch(parameters, multiplies)
    return CellTiming(launch, through, capture)


def _dsp_launch(parameters: Mapping[str, Any], multiplies: bool) -> float:
    """Return the time from the clock to the result: from the last register in front of it."""
    if _number(parameters, "PREG", 1):
        return FF_CLOCK_TO_OUTPUT + DSP_OUTPUT
    if multiplies and _number(parameters, "MREG", 1):
        return FF_CLOCK_TO_OUTPUT + DSP_PRODUCT + DSP_ALU + DSP_OUTPUT
    if any(_number(parameters, register, 1) for register in ("AREG", "BREG", "CREG")):
        product = DSP_PREADDER + DSP_MULTIPLIER + DSP_PRODUCT if multiplies else 0.0
        return FF_CLOCK_TO_OUTPUT + product + DSP_ALU + DSP_OUTPUT
    return 0.0


def _number(parameters: Mapping[str, Any], name: str, default: int = 0) -> int:
    """Return a parameter that Yosys wrote as bits."""
    value = parameters.get(name)
    return default if value is None else int(str(value), 2)
