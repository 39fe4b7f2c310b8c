"""The simulated board as a whole: memory that programs can map, and a server for its registers."""

from __future__ import annotations

import json
import shutil
import socketserver
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from finn_flow.deployment.simulated_board.fault import Fault
from finn_flow.deployment.simulated_board.logic import ACCELERATOR, ProgrammableLogic
from finn_flow.errors import FlowError, UserError
from finn_flow.netlist.netlist import Netlist

MEMORY_BASE, MEMORY_BYTES = 0x1000_0000, 64 << 20
REGISTERS = {"idma0": 0xA000_0000, "odma0": 0xA001_0000, ACCELERATOR: 0xA002_0000}
REGISTER_BYTES = 0x1000

PYNQ_FOLDER = Path(__file__).parent / "stand_in"
"""Put this on a Python's path, and it finds `pynq`; needs NumPy only."""

_HWH = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<EDKSYSTEM><MODULES>
  <MODULE INSTANCE="clk_wiz_0"><PARAMETERS>
    <PARAMETER NAME="CLKOUT1_REQUESTED_OUT_FREQ" VALUE="{clock_mhz:.3f}"/>
  </PARAMETERS></MODULE>
  <MODULE INSTANCE="idma0"/><MODULE INSTANCE="odma0"/>{accelerator}
</MODULES></EDKSYSTEM>
"""


class SimulatedBoard:
    """A board whose programmable logic holds one accelerator; a context manager.

    Programs in this or any other process use it through the stand-in for PYNQ in `PYNQ_FOLDER`, with `bitfile` as their
    bitfile. What the driver has not flushed the DMAs do not see, and what it has not invalidated it does not see.

    Parameters
    ----------
    netlist
        The accelerator.
    build_id
        Build number that the DMAs answer with; 0: DMAs as FINN's, which have no such register.
    stall
        Share of the cycles, 0 to below 1, in which the DMAs pause.
    seed
        Of the pauses.

    Raises
    ------
    SimulationBuildError
        The accelerator cannot be simulated.
    UserError
        It has not exactly one input and one output.
    """

    def __init__(self, netlist: Netlist, build_id: int = 0, stall: float = 0.0, seed: int = 1) -> None:
        if len(netlist.inputs) != 1 or len(netlist.outputs) != 1:
            raise UserError(f"{netlist.folder}: the simulated board takes accelerators with one input and one output")
        self._folder = Path(tempfile.mkdtemp(prefix="board_"))
        try:
            path = self._folder / "memory"
            memory = np.memmap(path, np.uint8, "w+", shape=(MEMORY_BYTES,))
            self.logic = ProgrammableLogic(netlist, memory, MEMORY_BASE, build_id, stall, seed)
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        self.bitfile = self._folder / "finn-accel.bit"
        socket = str(self._folder / "socket")
        description = {
            "socket": socket,
            "memory": str(path),
            "memory_base": MEMORY_BASE,
            "registers": {
                name: [address, REGISTER_BYTES]
                for name, address in REGISTERS.items()
                if name != ACCELERATOR or self.logic.control is not None
            },
        }
        self.bitfile.write_text(json.dumps({"simulated_board": description}))
        own = "" if self.logic.control is None else f'<MODULE INSTANCE="{ACCELERATOR}"/>'
        self.bitfile.with_suffix(".hwh").write_text(_HWH.format(clock_mhz=1e3 / netlist.clk_ns, accelerator=own))
        self._server = _Server(socket, self.logic)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> SimulatedBoard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Switch the board off."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.logic.close()
        shutil.rmtree(self._folder)

    def inject(self, fault: Fault) -> None:
        """Let a fault happen, once."""
        self.logic.inject(fault)


class _Server(socketserver.ThreadingUnixStreamServer):
    """One JSON object per line in, one out."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, logic: ProgrammableLogic) -> None:
        super().__init__(path, _Handler)
        self.logic = logic


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        for line in self.rfile:
            try:
                answer = self._answer(json.loads(line))
            except FlowError as error:
                answer = {"error": str(error)}
            try:
                self.wfile.write(json.dumps(answer).encode() + b"\n")
            except OSError:
                return

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        logic = self.server.logic
        if request["do"] == "load":
            logic.load()
            return {}
        address = request["address"]
        name = next(name for name, base in REGISTERS.items() if base <= address < base + REGISTER_BYTES)
        offset = address - REGISTERS[name]
        if request["do"] == "read":
            return {"value": logic.read(name, offset)}
        logic.write(name, offset, request["value"])
        return {}
