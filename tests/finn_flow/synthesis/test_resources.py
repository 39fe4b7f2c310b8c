"""Counting primitives of a flat netlist."""

import pytest

from finn_flow.errors import FlowError
from finn_flow.synthesis.resources import LABEL, Resources, count_resources, total


def module(cells, ports=None):
    return {"cells": cells, "ports": ports or {}}


def cells(*types):
    return {f"c{index}": {"type": name, "connections": {}} for index, name in enumerate(types)}


def carries(*chains):
    """CARRY4 chains of the given lengths."""
    found, bit = {}, 10
    for length in chains:
        carry_in = "0"
        for _ in range(length):
            connections = {"CI": [carry_in], "CO": [bit, bit + 1, bit + 2, bit + 3]}
            found[f"carry{bit}"] = {"type": "CARRY4", "connections": connections}
            carry_in, bit = bit + 3, bit + 4
    return found


def wide_ram(kind, **used):
    """A memory of which so many bits per output port are read; one more bit is not."""
    connections, bit = {}, 2
    for port, count in used.items():
        connections[port] = [*range(bit, bit + count), 1000 + bit]
        bit += count
    reader = {"type": "DSP48E2", "connections": {"A": list(range(2, bit))}}
    return {"ram": {"type": kind, "connections": connections}, "reader": reader}


def test_each_kind_is_counted_once():
    kinds = ("LUT1", "LUT6", "LUT6_2", "INV", "SRL16E", "SRLC32E", "FDRE", "FDSE", "DSP48E2", "RAMB36E2", "RAMB18E2")
    found = count_resources(module(cells(*kinds, "URAM288", "MUXF7", "$scopeinfo")))
    assert found == Resources(lut_logic=4, srl=2, ff=2, dsp48e2=1, bram36=1.5, uram288=1)
    assert found.lut_total == 6


@pytest.mark.parametrize(("chains", "carry8"), [((1,), 1), ((2,), 1), ((3,), 2), ((1, 1), 2), ((5, 4, 1), 6)])
def test_carry_chains_are_folded_by_two(chains, carry8):
    assert count_resources(module(carries(*chains))).carry8 == carry8


@pytest.mark.parametrize(
    ("ram", "luts"),
    [
        (wide_ram("RAM32M16", DOA=2, DOB=2, DOC=2, DOD=2, DOE=2, DOF=2, DOG=2), 8),
        (wide_ram("RAM32M16", DOA=2, DOB=1), 3),
        (wide_ram("RAM64M8", DOA=1, DOB=1, DOC=1), 4),
        (cells("RAM256X1S"), 4),
        (cells("RAM64X1D", "RAM64X1S"), 3),
    ],
)
def test_luts_of_distributed_memories(ram, luts):
    assert count_resources(module(ram)).lutram == luts


def test_unmapped_cells_are_errors():
    with pytest.raises(FlowError, match=r"no primitives of the device: \$mul"):
        count_resources(module(cells("LUT2", "$mul")))


def test_sums_and_json():
    one = Resources(lut_logic=3, ff=2, bram36=0.5)
    assert total([one, one]) == one * 2 == Resources(lut_logic=6, ff=4, bram36=1.0)
    assert Resources.from_json(one.to_json()) == one
    assert one.to_json()["lut_total"] == 3
    assert "estimate" in LABEL
