"""Proof that an accelerator has no way out but its streams: the ports of its top module, read from the source."""

from __future__ import annotations

from finn_flow.netlist import Netlist
from finn_flow.netlist.instances import CLOCK, CLOCK2X, RESET, SIGNALS
from finn_flow.netlist.module_header import Port, read_ports
from finn_flow.report.data import PortRow, Ports


def check_top_ports(netlist: Netlist) -> Ports:
    """Read the top module's header and hold every port against clock, reset and the accelerator's streams.

    A memory outside of the chip would need ports of its own (an address, or a stream more), so `only_streams` says that
    weights, thresholds and feature maps are all inside.

    Raises
    ------
    FlowError
        The header is not understood.
    """
    top = netlist.modules[netlist.top]
    found = read_ports((netlist.folder / top.path).read_text(), netlist.top)
    roles = _expected(netlist)
    ports = [
        PortRow(name=port.name, direction=port.direction, bits=port.width_bits, role=roles.get(port, "unexpected"))
        for port in found.values()
    ]
    files = [netlist.folder / name for name in netlist.data_files]
    instances = [instance for module in netlist.modules.values() for instance in module.instances]
    return Ports(
        top=netlist.top,
        ports=ports,
        only_streams=set(found.values()) == set(roles),
        unused_inputs=sum(len(instance.tied) for instance in instances),
        unused_outputs=sum(len(instance.open_outputs) for instance in instances),
        memory_files=len(files),
        memory_bytes=sum(file.stat().st_size for file in files),
    )


def _expected(netlist: Netlist) -> dict[Port, str]:
    """Return the ports that there have to be, with their roles."""
    clocks = [CLOCK, CLOCK2X] if netlist.modules[netlist.top].has_clock2x else [CLOCK]
    roles = {Port(name, "input", 1): "clock" for name in clocks} | {Port(RESET, "input", 1): "reset"}
    for streams, role, forward, backward in (
        (netlist.inputs, "input stream", "input", "output"),
        (netlist.outputs, "output stream", "output", "input"),
    ):
        for name, stream in streams.items():
            for signal, bits, direction in zip(
                SIGNALS, (stream.tdata_bits, 1, 1), (forward, forward, backward), strict=True
            ):
                roles[Port(f"{name}_{signal}", direction, bits)] = role
    return roles
