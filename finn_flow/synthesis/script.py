"""The Yosys commands that turn SystemVerilog into UltraScale+ primitives. Runs in the worker process only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

TECHMAPS = Path(__file__).parent / "techmap"
RESULT = "netlist.json"
LOG = "yosys.log"

LIBRARY = (
    "read_verilog -lib -specify +/xilinx/cells_sim.v",
    "read_verilog -lib +/xilinx/cells_xtra.v",
)
"""Black boxes of all primitives, so that instantiated DSP48E2 and LUT6_2 do not vanish."""

_READ = ("--ignore-assertions", "--no-implicit-memories", "--allow-use-before-declare")
_MAP = "synth_xilinx -family xcup -flatten -noiopad -noclkbuf -uram"
# One DSP48E2 for any product, as `use_dsp = "yes"` asks for; the flow by itself leaves products below 9 bits to LUTs.
_FORCE_DSP = (
    "techmap -map +/mul2dsp.v -map +/xilinx/xcu_dsp_map.v -D DSP_A_MAXWIDTH=27 -D DSP_B_MAXWIDTH=18 "
    "-D DSP_A_MAXWIDTH_PARTIAL=18 -D DSP_A_MINWIDTH=1 -D DSP_B_MINWIDTH=1 -D DSP_Y_MINWIDTH=1 "
    "-D DSP_NAME=$__MUL27X18"
)
# From a wire with the attribute back through its register to the product.
_PRODUCTS = "{wires} %ci4:+$dff,$dffe,$sdff,$sdffe,$sdffce,$mul,$pos t:$mul %i"
# Such a wire's sum of a product and one addend, which one DSP48E2 computes as well.
_SUMS = "{wires} %ci4:+$dff,$dffe,$sdff,$sdffe,$sdffce,$add,$sub,$pos t:$add t:$sub %u %i"
_SOFT_MULTIPLIER = "$__soft_mul"


def commands(
    top: str,
    sources: Sequence[str],
    include: str | None,
    parameters: Mapping[str, int | str],
    defines: Mapping[str, str],
) -> list[list[str] | str]:
    """Return the commands in order; a list is one command whose words are passed as they are.

    Parameters
    ----------
    top
        Module to synthesise, flattened.
    sources
        Files relative to the current folder, in compile order.
    include
        Folder of headers, or None.
    """
    read = ["read_slang", *_READ, "--top", top]
    if include:
        read += ["-I", include]
    for name, value in parameters.items():
        read += ["-G", f"{name}={_literal(value)}"]
    for name, value in defines.items():
        read += ["-D", f"{name}={value}" if value else name]
    synthesise = f"{_MAP} -top {top} -run"
    roms = f"{_having('rom_style', 'distributed')} {_having('ram_style', 'distributed')} %u r:WR_PORTS=0 %i"
    return [
        [*read, *sources],
        f"hierarchy -check -top {top}",
        f"{synthesise} prepare:map_dsp",
        f"select -set sums {_SUMS.format(wires=_having('use_dsp', 'yes'))}",
        "alumacc -macc-only @sums @sums %ci2:+$add,$sub,$mul t:$mul %i %u",
        f"techmap -map {TECHMAPS / 'multiply_add.v'} t:$macc_v2",
        f"{_FORCE_DSP} {_products('yes')}",
        f"chtype -set {_SOFT_MULTIPLIER} {_products('no')}",
        f"{synthesise} map_dsp:map_memory",
        f"techmap -map {TECHMAPS / 'rom.v'} {roms}",
        ["setattr", "-unset", "rom_style", "-set", "ram_style", '"logic"', *roms.split()],
        f"{synthesise} map_memory:map_ffram",
        # Shift registers that are read anywhere are found behind $shiftx only, one bit wide.
        f"techmap -map {TECHMAPS / 'bmux.v'}",
        f"{synthesise} map_ffram:check",
        f"select {top}",
        f"write_json -selected {RESULT}",
    ]


def _literal(value: int | str) -> str:
    """Return a parameter's value in SystemVerilog; integers beyond 31 bits, never negative, with their width."""
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value.bit_length()}'h{value:x}" if value.bit_length() > 31 else str(int(value))


def _products(value: str) -> str:
    """Return the selection of the multiplications whose result has `use_dsp = value`."""
    return _PRODUCTS.format(wires=_having("use_dsp", value))


def _having(attribute: str, value: str) -> str:
    """Return the selection of what has an attribute; the front end gives a parameter's value as bits."""
    bits = "".join(f"{byte:08b}" for byte in value.encode())
    return f"a:{attribute}={value} a:{attribute}={len(bits)}'b{bits} %u"


def identity() -> list[str]:
    """Return everything here that a result depends on."""
    texts = [path.read_text() for path in sorted(TECHMAPS.glob("*.v"))]
    generic = [str(command) for command in commands("TOP", ["SOURCES"], None, {}, {})]
    return [*LIBRARY, *(re.sub(re.escape(str(TECHMAPS)), "", text) for text in generic), *texts]
