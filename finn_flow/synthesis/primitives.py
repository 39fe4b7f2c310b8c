"""Declarations of the device's primitives for the front end, so that instances keep their parameters.

Of modules that are known to Yosys alone, the SystemVerilog front end learns the ports but not the parameters, and drops
what an instance sets. Declared in a source file, parameters are kept. Runs in the worker process only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pyosys

FILE = "primitives.v"
_LIBRARY = ("cells_sim.v", "cells_xtra.v")
_MODULE = re.compile(r"^module\s+(\w+).*?^endmodule", re.MULTILINE | re.DOTALL)
_DELAYS = re.compile(r"^\s*specify\b.*?^\s*endspecify\n", re.MULTILINE | re.DOTALL)
_DECLARED = re.compile(r"^\s*(?:module|package|interface)\s+(?:automatic\s+)?(\w+)", re.MULTILINE)
_WORD = re.compile(r"\b[A-Z]\w*\b")


@cache
def library() -> Mapping[str, str]:
    """Return the text of every primitive's module in Yosys's library by its name."""
    folder = Path(pyosys.__file__).parent / "share" / "xilinx"
    texts = [(folder / name).read_text() for name in _LIBRARY]
    # The library's delays are those of another family, and not all of them are legal SystemVerilog.
    return {match[1]: _DELAYS.sub("", match[0]) for text in texts for match in _MODULE.finditer(text)}


def declarations(sources: Iterable[str]) -> str:
    """Return black boxes of the primitives that the texts of sources name and do not declare themselves."""
    words: set[str] = set()
    declared: set[str] = set()
    for text in sources:
        words |= set(_WORD.findall(text))
        declared |= set(_DECLARED.findall(text))
    return "".join(f"(* blackbox *)\n{text}\n\n" for name, text in library().items() if name in words - declared)
