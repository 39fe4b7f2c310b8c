"""The interpreter of FINN's block-design commands: it builds what they say and skips nothing."""

from pathlib import Path

import pytest

from finn_flow.errors import FlowError
from finn_flow.netlist.block_design import interpret

HIERARCHY = [
    "create_bd_cell -type hier N",
    "create_bd_pin -dir I -type clk /N/ap_clk",
    "create_bd_pin -dir I -type rst /N/ap_rst_n",
    "create_bd_intf_pin -mode Master -vlnv xilinx.com:interface:axis_rtl:1.0 /N/out0_V",
    "create_bd_intf_pin -mode Slave -vlnv xilinx.com:interface:axis_rtl:1.0 /N/in0_V",
    "add_files -norecurse /a/N_wrapper.v",
    "create_bd_cell -type hier -reference N /N/N",
    "connect_bd_net [get_bd_pins N/ap_clk] [get_bd_pins N/N/ap_clk2x]",
    "create_bd_cell -type hier -reference N_memstream_wrapper /N/N_wstrm",
    "connect_bd_intf_net [get_bd_intf_pins N/N_wstrm/m_axis_0] [get_bd_intf_pins N/N/in1_V]",
    "save_bd_design",
]


def test_hierarchy() -> None:
    design = interpret("N", HIERARCHY)
    assert design.is_hierarchy
    assert design.files == [Path("/a/N_wrapper.v")]
    assert design.cells == {"N": "N", "N_wstrm": "N_memstream_wrapper"}
    assert design.pins == ["ap_clk", "ap_rst_n"]
    assert design.interfaces == {"out0_V": False, "in0_V": True}
    assert design.pin_nets == [(("", "ap_clk"), ("N", "ap_clk2x"))]
    assert design.interface_nets == [(("N_wstrm", "m_axis_0"), ("N", "in1_V"))]


def test_single_cell() -> None:
    design = interpret("N", ["add_files -norecurse /a/x.sv", "create_bd_cell -type module -reference N_top N"])
    assert not design.is_hierarchy
    assert design.cells == {"N": "N_top"}


@pytest.mark.parametrize(
    "command",
    [
        "assign_bd_address",
        "set_property CONFIG.ID 3 [get_bd_cells N]",
        "add_files /a/x.sv",
        "create_bd_cell -type ip -vlnv x:y:z:1.0 /N/dma",
        "create_bd_cell -type module -reference X /Other/X",
        "create_bd_pin -dir I -from 63 -to 0 /N/base_address",
        "create_bd_intf_pin -mode Slave -vlnv xilinx.com:interface:aximm_rtl:1.0 /N/s_axilite",
        "connect_bd_net [get_bd_pins N/ap_clk] [get_bd_pins N/nobody/ap_clk]",
        "connect_bd_net [get_bd_pins N/ap_clk]",
        "connect_bd_net -quiet [get_bd_pins N/ap_clk] [get_bd_pins N/N/ap_clk]",
    ],
)
def test_other_commands_are_refused(command: str) -> None:
    with pytest.raises(FlowError, match=r"N: the block-design command .* is not understood"):
        interpret("N", [*HIERARCHY, command])


def test_no_cell_is_an_error() -> None:
    with pytest.raises(FlowError, match="N: its block-design commands make no cell"):
        interpret("N", ["add_files -norecurse /a/x.sv"])
