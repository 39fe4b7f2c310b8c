"""The script that builds the bitfile, executed with Vivado's commands recorded."""

import re
import shutil
import tkinter
from dataclasses import replace
from pathlib import Path

import pytest

from finn_flow.deployment.hardware.folder import write_hardware
from finn_flow.deployment.simulated_board.board import REGISTER_BYTES, REGISTERS
from finn_flow.errors import UserError
from tests.finn_flow.deployment.adaptive import adaptive
from tests.finn_flow.deployment.hardware.ip_blocks import VivadoError
from tests.finn_flow.deployment.hardware.vivado import Vivado

CLOCK, FAST_CLOCK = "clk_wiz_0/clk_out1", "clk_wiz_0/clk_out2"


@pytest.fixture
def folder(package, tmp_path):
    """Return the package, in a place whose name has a space."""
    copied = tmp_path / "a package"
    shutil.copytree(package, copied)
    return copied


@pytest.fixture
def vivado(folder):
    recorder = Vivado()
    recorder.run(folder / "hardware" / "build.tcl")
    return recorder


def test_no_file_is_missing(vivado, folder):
    hardware = folder / "hardware"
    there = {path for path in hardware.rglob("*") if path.suffix in (".v", ".sv", ".dat", ".mem")}
    assert set(vivado.files) == {path for path in there if "work" not in path.parts}
    assert len(set(vivado.files)) == len(vivado.files)
    text = "".join(path.read_text() for path in vivado.files if path.suffix in (".v", ".sv"))
    included = set(re.findall(r'^\s*`include\s+"([^"]+)"', text, re.M))
    assert included <= {path.name for path in vivado.files}


def test_memory_files_are_what_readmemh_finds(vivado, tiny):
    data = {path.name for path in vivado.files if path.suffix not in (".v", ".sv")}
    assert data == {Path(name).name for name in tiny.netlist.data_files}
    typed = {Path(name).name for name, kind in vivado.file_types.items() if kind == "Memory Initialization Files"}
    assert typed == data


def test_every_port_of_every_module_is_connected(vivado, tiny):
    assert {vivado.cells[name] for name in ("idma0", "odma0")} == {"dsode_idma", "dsode_odma"}
    assert vivado.cells[tiny.netlist.top] == tiny.netlist.top
    connected = {pin for pair in vivado.interfaces for pin in pair} | {
        sink for sinks in vivado.nets.values() for sink in sinks
    }
    for cell, kind in vivado.cells.items():
        if kind in ("dsode_idma", "dsode_odma", tiny.netlist.top):
            interfaces, pins = vivado.ports(cell)
            assert {f"{cell}/{name}" for name in interfaces | pins} <= connected
    interfaces, pins = vivado.ports(tiny.netlist.top)
    assert interfaces == {*tiny.netlist.inputs, *tiny.netlist.outputs}
    assert pins == {"ap_clk", "ap_rst_n"}


def test_frames_go_from_memory_through_the_accelerator_and_back(vivado):
    pairs = {frozenset(pair) for pair in vivado.interfaces}
    for pair in (
        ("idma0/m_axis", "accelerator/in0_V"),
        ("accelerator/out0_V", "odma0/s_axis"),
        ("memory/M00_AXI", "zynq_ps/S_AXI_HP0_FPD"),
        ("zynq_ps/M_AXI_HPM0_FPD", "control/S00_AXI"),
    ):
        assert frozenset(pair) in pairs
    ends = dict(vivado.interfaces) | {second: first for first, second in vivado.interfaces}
    assert ends["idma0/m_axi_gmem"].startswith("memory/S0")
    assert ends["odma0/m_axi_gmem"].startswith("memory/S0")
    assert ends["idma0/s_axi_control"].startswith("control/M0")
    assert ends["odma0/s_axi_control"].startswith("control/M0")


def test_one_clock_of_200_mhz_from_100_and_its_reset(vivado):
    clocked = vivado.nets[CLOCK]
    wanted = {f"{cell}/ap_clk" for cell in ("idma0", "odma0", "accelerator")} | {"control/aclk", "memory/aclk"}
    assert wanted | {"zynq_ps/maxihpm0_fpd_aclk", "zynq_ps/saxihp0_fpd_aclk"} <= clocked
    assert FAST_CLOCK not in vivado.nets
    assert vivado.properties["clk_wiz_0", "CONFIG.CLKOUT1_REQUESTED_OUT_FREQ"] == "200.000"
    assert vivado.properties["zynq_ps", "CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ"] == "100"
    resets = vivado.nets["proc_sys_reset_0/peripheral_aresetn"]
    assert resets == {f"{cell}/ap_rst_n" for cell in ("idma0", "odma0", "accelerator")}
    (constraints,) = vivado.constraints
    assert "create_clock -period 5.000" in constraints.read_text()


def test_a_second_clock_of_twice_the_frequency(tiny, tmp_path):
    top = tiny.netlist.modules[tiny.netlist.top]
    doubled = replace(top, instances=(replace(top.instances[0], has_clock2x=True), *top.instances[1:]))
    netlist = replace(tiny.netlist, modules={**tiny.netlist.modules, top.name: doubled})
    write_hardware(netlist, 1, "ZCU104", tmp_path / "hardware")
    path = tmp_path / "hardware" / "rtl" / "accelerator.v"
    path.write_text(
        path.read_text().replace("input  wire ap_rst_n,", "input  wire ap_rst_n,\n    input  wire ap_clk2x,")
    )
    vivado = Vivado()
    vivado.run(tmp_path / "hardware" / "build.tcl")
    assert vivado.nets[FAST_CLOCK] == {"accelerator/ap_clk2x"}
    assert vivado.properties["clk_wiz_0", "CONFIG.CLKOUT2_REQUESTED_OUT_FREQ"] == "400.0"


def test_addresses_are_the_simulated_boards(vivado):
    found = {name.split("/")[0]: offset for name, (offset, _) in vivado.addresses.items()}
    assert found == {name: REGISTERS[name] for name in ("idma0", "odma0")}
    assert {size for _, size in vivado.addresses.values()} == {f"{REGISTER_BYTES // 1024}K"}
    assert vivado.commands.index("assign_bd_address") > 0  # and the memory for both channels


def test_the_port_of_an_accelerator_that_adapts(tmp_path):
    netlist = adaptive().netlist
    write_hardware(netlist, 1, "ZCU104", tmp_path / "hardware")
    vivado = Vivado()
    vivado.run(tmp_path / "hardware" / "build.tcl")
    assert frozenset(("control/M02_AXI", "accelerator/s_axi_control")) in {frozenset(p) for p in vivado.interfaces}
    assert {name.split("/")[0]: offset for name, (offset, _) in vivado.addresses.items()} == REGISTERS
    interfaces, pins = vivado.ports("accelerator")
    assert interfaces == {"in0_V", "out0_V", "s_axi_control"} and pins == {"ap_clk", "ap_rst_n"}
    assert vivado.properties["control", "CONFIG.NUM_MI"] == "3"


def test_bitfile_and_hand_off_end_up_where_the_driver_looks(vivado, folder):
    assert (folder / "bitfile" / "finn-accel.bit").read_text() == ".bit"
    assert (folder / "bitfile" / "finn-accel.hwh").read_text() == ".hwh"
    assert vivado.project["part"] == "xczu7ev-ffvc1156-2-e"
    assert vivado.properties["project", "board_part"] == "xilinx.com:zcu104:part0:1.1"
    order = [vivado.commands.index(name) for name in ("validate_bd_design", "save_bd_design", "close_project")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("recorder", "message"),
    [
        (Vivado(has_board=False), "no board files for xilinx.com:zcu104:part0:1.1; install them"),
        (Vivado({"STATS.WNS": "-0.2"}), "timing is not met at 200.000 MHz: setup slack '-0.2' ns"),
        (Vivado({"STATS.WHS": "-0.02"}), "timing is not met at 200.000 MHz: hold slack '-0.02' ns"),
        (Vivado({"STATS.TPWS": "-0.3"}), "timing is not met at 200.000 MHz: total pulse width slack '-0.3' ns"),
        (Vivado({"STATS.WHS": ""}), "timing is not met at 200.000 MHz: hold slack '' ns"),
        (Vivado({"PROGRESS": "40%"}), "the implementation failed"),
    ],
)
def test_what_goes_wrong_ends_the_script_without_a_bitfile(folder, recorder, message):
    with pytest.raises(tkinter.TclError, match=message):
        recorder.run(folder / "hardware" / "build.tcl")
    assert not (folder / "bitfile").exists()


@pytest.mark.parametrize(
    ("line", "other", "message"),
    [
        ("PRIM_IN_FREQ.VALUE_SRC PROPAGATED", "PRIM_IN_FREQ 100.000", "BD 41-238. clk_in1 is set to 100.000 MHz"),
        ("CONFIG.PRIM_SOURCE No_buffer ", "", "an input buffer that no pin drives"),
        ("CONFIG.RESET_TYPE ACTIVE_LOW CONFIG.RESET_PORT resetn", "", "no pin clk_wiz_0/resetn"),
        ("SRCSEL IOPLL", "SRCSEL RPLL", "PYNQ takes the divisors of pl_clk0 as the IOPLL's"),
        ("CONFIG.PSU__OVERRIDE__BASIC_CLOCK 0", "CONFIG.PSU__USE__M_AXI_GP2 0", "basic clocks are overridden"),
        ("CONFIG.PSU__USE__M_AXI_GP1 0 ", "", "nothing is connected to zynq_ps/M_AXI_HPM1_FPD, zynq_ps/maxihpm1"),
        ("CONFIG.PSU__USE__S_AXI_GP2 1", "", "no pin zynq_ps/S_AXI_HP0_FPD"),
        ("CONFIG.NUM_SI 2 ", "CONFIG.NUM_SI 1 ", "no pin memory/S01_AXI"),
        ("CONFIG.NUM_SI 1 ", "CONFIG.NUM_SI 2 ", "nothing is connected to control/S01_AXI"),
        ("CONFIG.USE_LOCKED true", "CONFIG.USE_LOCK true", r"clk_wiz_0 \(clk_wiz\) has no parameter CONFIG.USE_LOCK"),
        ("$top/ap_clk ", "", "nothing is connected to accelerator/ap_clk"),
        ("-dictionary ", "", "clk_wiz:1.9 is not the newest|zynq_ultra_ps_e:1.9 is not the newest"),
    ],
)
def test_the_recorder_sees_what_vivado_would_refuse(folder, line, other, message):
    script = folder / "hardware" / "build.tcl"
    text = script.read_text()
    assert line in text
    script.write_text(text.replace(line, other))
    with pytest.raises(VivadoError, match=message):
        Vivado().run(script)


def test_an_accelerator_without_memory_files(folder):
    (folder / "hardware" / "data.f").write_text("")
    vivado = Vivado()
    vivado.run(folder / "hardware" / "build.tcl")
    assert "Memory Initialization Files" not in vivado.file_types.values()


def test_other_boards_and_devices_are_refused(tiny, tmp_path):
    with pytest.raises(UserError, match="no block design for the board Pynq-Z1; there is one for ZCU104"):
        write_hardware(tiny.netlist, 1, "Pynq-Z1", tmp_path)
    with pytest.raises(UserError, match="the netlist is made for xc7z020, not for the ZCU104's"):
        write_hardware(replace(tiny.netlist, fpgapart="xc7z020"), 1, "ZCU104", tmp_path)
