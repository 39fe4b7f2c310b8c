"""An AXI4-Lite port of a simulated accelerator: its channels are streams to the simulation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.parameter_bus import PORT
from finn_flow.verilator import Design, StreamPort
from finn_flow.verilator.model import StreamPlan
from finn_flow.verilator.run import stream_plan

_CHANNELS = {
    "aw": (7, "awaddr", "awvalid", "awready"),
    "w": (32, "wdata", "wvalid", "wready"),
    "ar": (7, "araddr", "arvalid", "arready"),
    "b": (2, "bresp", "bvalid", "bready"),
    "r": (32, "rdata", "rvalid", "rready"),
}
"""Width and signals of each channel, those into the accelerator first."""
_INPUTS = 3


@dataclass
class Access:
    """One access: a write of `value`, or a read if it is None, whose `value` is then the answer."""

    offset: int
    value: int | None
    done: bool = False


@dataclass
class ControlPort:
    """Accesses wait in a queue; one at a time takes part in the simulation."""

    waiting: deque[Access] = field(default_factory=deque)

    @staticmethod
    def of(netlist: Netlist) -> ControlPort | None:
        """Return the port of an accelerator, if it has one."""
        return ControlPort() if netlist.has_writable_parameters else None

    @staticmethod
    def extend(design: Design) -> Design:
        """Return the design with the port's channels among its streams."""
        ports = [
            StreamPort(_stream(name), bits, *(f"{PORT}_{signal}" for signal in signals))
            for name, (bits, *signals) in _CHANNELS.items()
        ]
        inputs, outputs = ports[:_INPUTS], ports[_INPUTS:]
        driven = {port.tdata for port in inputs} | {port.tvalid for port in inputs} | {port.tready for port in outputs}
        constants = {name: value for name, value in design.constants.items() if name not in driven}
        return replace(
            design, inputs=[*design.inputs, *inputs], outputs=[*design.outputs, *outputs], constants=constants
        )

    def plans(self) -> dict[str, StreamPlan]:
        """Return what the channels do next: the first access that waits, or nothing."""
        sent = dict.fromkeys(_CHANNELS, 0)
        access = self.waiting[0] if self.waiting else None
        words = {name: np.zeros((0, (bits + 7) // 8), np.uint8) for name, (bits, *_) in _CHANNELS.items()}
        if access is not None:
            used = ("ar", "r") if access.value is None else ("aw", "w", "b")
            sent |= {"aw": access.offset, "ar": access.offset, "w": access.value or 0}
            for name in used:
                size = words[name].shape[1]
                words[name] = np.frombuffer(sent[name].to_bytes(size, "little"), np.uint8).reshape(1, size).copy()
        return {_stream(name): stream_plan(values) for name, values in words.items()}

    def finish(self, plans: Mapping[str, StreamPlan], transferred: Callable[[str], int]) -> bool:
        """Take note of the first access's end; returns whether it has ended."""
        if not self.waiting:
            return False
        access = self.waiting[0]
        answer = _stream("r" if access.value is None else "b")
        if len(plans[answer].words) == 0 or not transferred(answer):
            return False
        if access.value is None:
            access.value = int.from_bytes(plans[answer].words.tobytes(), "little")
        access.done = True
        self.waiting.popleft()
        return True


def _stream(channel: str) -> str:
    return f"{PORT}_{channel}"
