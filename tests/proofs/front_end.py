"""SystemVerilog with assertions to an AIGER file: a process of its own, because Yosys ends it where it finds an error.

Run as `python -m tests.proofs.front_end TOP AIGER SOURCE... [-G NAME=VALUE...]`. Registers without a reset value and
signals without a driver are free: a proof is of every start and of every environment.
"""

from __future__ import annotations

import sys

from pyosys import libyosys

# Clocked assertions become assertions of the next step; memories become registers.
COMMANDS = (
    "hierarchy -check",
    "proc",
    "flatten",
    "opt_clean",
    "setundef -undriven -anyseq",
    "memory_nordff",
    "memory_map -formal",
    "formalff -clk2ff -ff2anyinit",
    "async2sync",
    "chformal -lower",
    "opt -keepdc",
    "setundef -undriven -anyseq",
    "formalff -setundef -clk2ff -ff2anyinit",
    "opt_clean",
    "techmap",
    "simplemap",
    "opt_clean",
    "aigmap",
    "opt_clean",
    "stat",
)


def main() -> None:
    """Read, lower and write."""
    top, aiger, *sources = sys.argv[1:]
    design = libyosys.Design()
    # Without the option the front end defines SYNTHESIS, and the assertions of the cores vanish.
    libyosys.Pass.call(design, ["read_slang", "--no-synthesis-define", "--top", top, *sources])
    for command in COMMANDS:
        libyosys.Pass.call(design, command)
    libyosys.Pass.call(design, ["write_aiger", "-B", "-zinit", aiger])


if __name__ == "__main__":
    main()
