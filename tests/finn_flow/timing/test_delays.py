"""Delays of primitives whose timing depends on their parameters, and the figures of the reports that they stand for."""

import pytest

from finn_flow.timing.delays import DSP_SETUP, FF_CLOCK_TO_OUTPUT, cell_timing, is_dedicated, net_delay

ONE, NONE = format(1, "032b"), format(0, "032b")
REGISTERS = ("AREG", "BREG", "CREG", "DREG", "ADREG", "MREG", "PREG", "INMODEREG", "OPMODEREG", "ALUMODEREG")


def dsp(**parameters):
    values = {**dict.fromkeys(REGISTERS, NONE), **parameters}
    return cell_timing("DSP48E2", values, ["A", "B", "C", "D", "PCIN"], ["P", "PCOUT"])


def test_a_net_gets_slower_with_every_doubling_of_its_loads():
    assert net_delay(1) == pytest.approx(0.22)
    assert net_delay(1024) == pytest.approx(0.22 + 10 * 0.085)


def test_dsp_without_registers_takes_what_the_routed_design_took():
    """B to P of the published path: 0.195, 0.092, 0.737, 0.059, 0.699, 0.159 (B has no pre-adder here)."""
    timing = dsp()
    assert timing.through["A", "P"].delay == pytest.approx(1.941)
    assert timing.through["B", "P"].delay == pytest.approx(1.849)
    assert timing.through["PCIN", "P"].delay == pytest.approx(0.858)
    assert timing.launch == {"P": 0.0, "PCOUT": 0.0}
    assert not timing.capture


def test_dsp_input_ends_at_the_first_register_on_its_way():
    assert dsp(AREG=ONE).capture["A"] == DSP_SETUP
    assert dsp(MREG=ONE).capture["B"] == pytest.approx(0.195 + 0.737 + 0.059 + DSP_SETUP)
    assert dsp(PREG=ONE).capture["PCIN"] == pytest.approx(0.699 + DSP_SETUP)


def test_pre_adder_register_counts_only_where_the_pre_adder_is_used():
    assert "A" not in dsp(ADREG=ONE).capture
    assert dsp(ADREG=ONE, AMULTSEL="AD").capture["A"] == pytest.approx(0.195 + 0.092 + DSP_SETUP)


def test_dsp_result_starts_at_the_last_register():
    assert dsp(MREG=ONE, PREG=ONE).launch["P"] == pytest.approx(FF_CLOCK_TO_OUTPUT + 0.159)
    assert dsp(AREG=ONE, MREG=ONE).launch["P"] == pytest.approx(FF_CLOCK_TO_OUTPUT + 0.059 + 0.699 + 0.159)


def test_carries_go_upwards_only():
    arc = cell_timing("CARRY4", {}, ["S", "DI", "CI"], ["O", "CO"]).through["S", "CO"]
    assert arc.between(1, 0) is None
    assert arc.between(0, 3) == pytest.approx(0.15 + 3 * 0.015)


def test_memories_read_by_their_address_or_from_a_register():
    shift = cell_timing("SRL16E", {}, ["A0", "A1", "D", "CE"], ["Q"])
    assert set(shift.through) == {("A0", "Q"), ("A1", "Q")}
    assert set(shift.launch) == {"Q"}
    ram = cell_timing("RAM32M16", {}, ["ADDRA", "ADDRH", "DIA", "WE"], ["DOA"])
    assert set(ram.through) == {("ADDRA", "DOA"), ("ADDRH", "DOA")}
    block = cell_timing("RAMB36E2", {"DOA_REG": NONE, "DOB_REG": ONE}, ["ENARDEN"], ["DOUTADOUT", "DOUTBDOUT"])
    assert block.launch == {"DOUTADOUT": 1.15, "DOUTBDOUT": 0.40}


def test_only_carries_and_wide_multiplexers_have_wires_of_their_own():
    assert is_dedicated("CARRY8", "CI")
    assert is_dedicated("MUXF7", "I0")
    assert not is_dedicated("CARRY8", "DI")
    assert not is_dedicated("LUT6", "I0")
