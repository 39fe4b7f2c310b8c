"""The IP blocks of the block design, as far as a script meets them (product guides PG065, PG201, PG164, PG247).

What a block shows depends on its configuration, and a configuration can be refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Config = Mapping[str, str]
PS_CLOCK_MHZ = 99.999
"""What the processing system's dividers make of 100 MHz."""


class VivadoError(Exception):
    """The script did what Vivado would refuse."""


@dataclass(frozen=True)
class Block:
    """A kind of IP.

    Parameters
    ----------
    parameters
        That can be set, without `CONFIG.`.
    interfaces, pins
        Of a configuration.
    clocks
        By interface, the pin that clocks it.
    """

    parameters: frozenset[str]
    interfaces: Callable[[Config], set[str]]
    pins: Callable[[Config], set[str]]
    clocks: Callable[[str], str]


def _is_on(config: Config, name: str, default: str = "0") -> bool:
    return config.get(name, default) in ("1", "true")


def _zynq_interfaces(config: Config) -> set[str]:
    # The board's preset switches both masters on and all slaves off.
    found = {"M_AXI_HPM0_FPD"} if _is_on(config, "PSU__USE__M_AXI_GP0", "1") else set()
    found |= {"M_AXI_HPM1_FPD"} if _is_on(config, "PSU__USE__M_AXI_GP1", "1") else set()
    return found | ({"S_AXI_HP0_FPD"} if _is_on(config, "PSU__USE__S_AXI_GP2") else set())


def _zynq_pins(config: Config) -> set[str]:
    return {"pl_clk0", "pl_resetn0", *map(_zynq_clock, _zynq_interfaces(config))}


def _zynq_clock(interface: str) -> str:
    return interface.replace("_AXI_", "axi").lower() + "_aclk"


def _wizard_pins(config: Config) -> set[str]:
    pins = {"clk_in1", "clk_out1"}
    pins |= {"clk_out2"} if _is_on(config, "CLKOUT2_USED", "false") else set()
    pins |= {"locked"} if _is_on(config, "USE_LOCKED", "true") else set()
    if _is_on(config, "USE_RESET", "true"):
        default = "resetn" if config.get("RESET_TYPE") == "ACTIVE_LOW" else "reset"
        pins.add(config.get("RESET_PORT", default))
    return pins


def _crossbar_interfaces(config: Config) -> set[str]:
    sides = ("S", int(config.get("NUM_SI", "2"))), ("M", int(config.get("NUM_MI", "1")))
    return {f"{side}{number:02d}_AXI" for side, count in sides for number in range(count)}


BLOCKS = {
    "zynq_ultra_ps_e": Block(
        frozenset(
            {f"PSU__USE__{port}" for port in ("M_AXI_GP0", "M_AXI_GP1", "M_AXI_GP2", "S_AXI_GP2")}
            | {"PSU__OVERRIDE__BASIC_CLOCK"}
            | {f"PSU__CRL_APB__PL0_REF_CTRL__{name}" for name in ("FREQMHZ", "SRCSEL")}
        ),
        _zynq_interfaces,
        _zynq_pins,
        _zynq_clock,
    ),
    "clk_wiz": Block(
        frozenset(
            {"PRIM_IN_FREQ", "PRIM_IN_FREQ.VALUE_SRC", "PRIM_SOURCE", "PRIMITIVE", "USE_LOCKED", "USE_RESET"}
            | {"RESET_TYPE", "RESET_PORT", "CLKOUT1_REQUESTED_OUT_FREQ", "CLKOUT2_REQUESTED_OUT_FREQ", "CLKOUT2_USED"}
        ),
        lambda config: set(),
        _wizard_pins,
        lambda interface: "",
    ),
    "proc_sys_reset": Block(
        frozenset(),
        lambda config: set(),
        lambda config: {
            *("slowest_sync_clk", "ext_reset_in", "aux_reset_in", "dcm_locked", "mb_reset", "bus_struct_reset"),
            *("peripheral_reset", "interconnect_aresetn", "peripheral_aresetn"),
        },
        lambda interface: "",
    ),
    "smartconnect": Block(
        frozenset({"NUM_SI", "NUM_MI"}),
        _crossbar_interfaces,
        lambda config: {"aclk", "aresetn"},
        lambda interface: "aclk",
    ),
}


def check_wizard(config: Config, driver: str) -> None:
    """Raise `VivadoError` if a clocking wizard does not fit to what drives its input."""
    if not driver.endswith("/pl_clk0"):
        raise VivadoError(f"clk_in1 has the driver {driver or 'nothing'}")
    frequency = config.get("PRIM_IN_FREQ", "100.000")
    if config.get("PRIM_IN_FREQ.VALUE_SRC") != "PROPAGATED" and float(frequency) != PS_CLOCK_MHZ:
        raise VivadoError(f"[BD 41-238] clk_in1 is set to {frequency} MHz, but its driver has {PS_CLOCK_MHZ} MHz")
    # The clock comes from a global buffer, which cannot drive the input buffer of a pin.
    if config.get("PRIM_SOURCE", "Single_ended_clock_capable_pin") not in ("No_buffer", "Global_buffer"):
        raise VivadoError("[DRC REQP] an input buffer that no pin drives")


def check_processing_system(config: Config) -> None:
    """Raise `VivadoError` if the clock is not one whose divisors PYNQ can set."""
    if config.get("PSU__CRL_APB__PL0_REF_CTRL__SRCSEL") != "IOPLL":
        raise VivadoError("PYNQ takes the divisors of pl_clk0 as the IOPLL's")
    if config.get("PSU__OVERRIDE__BASIC_CLOCK") != "0":
        raise VivadoError("the frequency of pl_clk0 is not taken over where basic clocks are overridden")
