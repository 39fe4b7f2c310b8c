"""The programmable logic: two DMA channels around the Verilated accelerator, which runs in a thread of its own."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from finn_flow.deployment.simulated_board.control_port import Access, ControlPort
from finn_flow.deployment.simulated_board.dma_model import MEMORY_ERROR, DmaModel
from finn_flow.deployment.simulated_board.fault import Fault
from finn_flow.netlist.netlist import Netlist
from finn_flow.verilator import Simulation, Stall
from finn_flow.verilator.model import HUNG, StreamPlan
from finn_flow.verilator.run import stream_plan

ACCELERATOR = "accelerator"
"""Name of the accelerator's own registers, where it has any."""
_PATTERN_CYCLES = 8191
_ACCESS_CYCLES = 64


class ProgrammableLogic:
    """Runs the accelerator whenever a DMA channel has something to move; a context manager.

    Register accesses may come from any thread.

    Parameters
    ----------
    netlist
        The accelerator, with one input and one output.
    memory
        uint8, all that the DMAs can reach.
    base
        Physical address of its first byte.
    build_id
        See `DmaModel`.
    stall
        Share of the cycles, 0 to below 1, in which either DMA pauses.
    seed
        Of the pauses.
    """

    def __init__(
        self, netlist: Netlist, memory: NDArray[np.uint8], base: int, build_id: int, stall: float, seed: int
    ) -> None:
        self.control = ControlPort.of(netlist)
        self._design = netlist.design() if self.control is None else ControlPort.extend(netlist.design())
        (self._in_name, source), (self._out_name, sink) = (*netlist.inputs.items(), *netlist.outputs.items())
        self.channels = {
            "idma0": DmaModel(memory, base, source.words, source.tdata_bits // 8, build_id),
            "odma0": DmaModel(memory, base, sink.words, sink.tdata_bits // 8, build_id),
        }
        self._slice_cycles = netlist.expected_cycles_per_frame
        self._patience_cycles = netlist.patience_cycles
        self._stall = stall
        self._random = np.random.default_rng(seed)
        self._faults: list[Fault] = []
        self._changed = threading.Condition()
        self._work = self._restart = self._closed = False
        self._failure: BaseException | None = None
        self.cycles = 0
        self._simulation = self._new_simulation()
        self._thread = threading.Thread(target=self._main, name="programmable logic", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and free the model."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._simulation.close()

    def inject(self, fault: Fault) -> None:
        """Let a fault happen, once."""
        with self._changed:
            self._faults.append(fault)
            self._changed.notify_all()

    def read(self, channel: str, offset: int) -> int:
        """Read a register of a channel; raises what ended the simulation, if something did."""
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if channel == ACCELERATOR:
                return self._access(Access(offset, None))
            return self.channels[channel].read(offset)

    def write(self, channel: str, offset: int, value: int) -> None:
        """Write a register of a channel."""
        with self._changed:
            if channel == ACCELERATOR:
                self._access(Access(offset, value))
            elif self.channels[channel].write(offset, value):
                self._work = True
                self._changed.notify_all()

    def _access(self, access: Access) -> int:
        """Let an access of the accelerator's own registers happen; returns what was read."""
        assert self.control is not None
        self.control.waiting.append(access)
        self._work = True
        self._changed.notify_all()
        self._changed.wait_for(lambda: access.done or self._failure is not None)
        if self._failure is not None:
            raise self._failure
        return access.value or 0

    def load(self) -> None:
        """Load the bitfile: everything starts anew; returns when that is so."""
        with self._changed:
            self._restart = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._restart or self._failure is not None)

    def _new_simulation(self) -> Simulation:
        simulation = Simulation(self._design)
        simulation.reset()
        return simulation

    def _main(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._work or self._restart or self._closed)
                    if self._closed:
                        return
                    if self._restart:
                        self._load()
                    self._work = False
                self._run()
        except BaseException as error:  # handed to whoever reads a register next
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _load(self) -> None:
        self._simulation.close()
        self._simulation = self._new_simulation()
        for channel in self.channels.values():
            channel.reset()
        self._restart = False
        self._changed.notify_all()

    def _run(self) -> None:
        """Move words until nothing moves any more, or until a transfer is started or the bitfile loaded again."""
        with self._changed:
            plans = self._plans()
            self._simulation.start(plans, self._stall_patterns())
        moved = dict.fromkeys(plans, 0)
        while True:
            cycles = self._slice_cycles if self.control is None or not self.control.waiting else _ACCESS_CYCLES
            status = self._simulation.run(self._simulation.cycle + cycles, self._patience_cycles)
            with self._changed:
                reset = False
                if self.control is not None and self.control.finish(plans, self._transferred):
                    self._changed.notify_all()
                    self._work = True  # for the transfers that go on, or for the next access
                for channel_name, stream in (("idma0", self._in_name), ("odma0", self._out_name)):
                    done = self._simulation.stream(stream).transferred
                    reset |= self._advance(channel_name, plans[stream].words[moved[stream] : done])
                    moved[stream] = done
                if reset:
                    self._simulation.reset()
                    self._work = True
                if self._work or self._restart or self._closed or status in (HUNG, 0):
                    self.cycles += self._simulation.cycle
                    return

    def _transferred(self, stream: str) -> int:
        return self._simulation.stream(stream).transferred

    def _plans(self) -> dict[str, StreamPlan]:
        """Return what is left of the present transfers, up to the point where a fault stops one."""
        plans = {}
        for channel_name, stream in (("idma0", self._in_name), ("odma0", self._out_name)):
            transfer = self._limited(channel_name)
            words = np.zeros((0, 1), np.uint8) if transfer is None else np.ascontiguousarray(transfer)
            plans[stream] = stream_plan(words.copy() if channel_name == "idma0" else np.zeros_like(words))
        return plans if self.control is None else {**plans, **self.control.plans()}

    def _limited(self, name: str) -> NDArray[np.uint8] | None:
        channel = self.channels[name]
        if channel.transfer is None:
            return None
        for fault in self._faults:
            if fault.channel == name and fault.kind == "no_completion":
                channel.transfer.limit = min(channel.transfer.limit, fault.after_frames * channel.frame_words)
                self._faults.remove(fault)
                break
        return channel.transfer.left

    def _advance(self, name: str, words: NDArray[np.uint8]) -> bool:
        """Note words that a channel has moved, results into memory; returns whether a reset is due."""
        channel = self.channels[name]
        transfer = channel.transfer
        if transfer is None:
            return False
        if name == "odma0":
            transfer.words[transfer.done : transfer.done + len(words)] = words
        fault = self._due(name, (transfer.done + len(words)) // channel.frame_words)
        kind = None if fault is None else fault.kind
        if fault is not None and kind == "short_transfer":
            transfer.words[fault.after_frames * channel.frame_words :] = 0xFF
            channel.finish()
            return False
        if kind == "memory_error":
            channel.errors |= MEMORY_ERROR
        channel.advance(len(words))
        return kind == "reset"

    def _due(self, name: str, frames: int) -> Fault | None:
        """Return the first fault that happens to a channel now."""
        for fault in self._faults:
            if fault.channel == name and fault.kind != "no_completion" and frames >= fault.after_frames:
                self._faults.remove(fault)
                return fault
        return None

    def _stall_patterns(self) -> Stall:
        """Return new random pauses for both channels; none in the first cycle, so that a word on offer stays there."""
        if not self._stall:
            return Stall.none()
        patterns = {}
        for stream in (self._in_name, self._out_name):
            pauses = self._random.random(_PATTERN_CYCLES) < self._stall
            pauses[0] = False
            patterns[stream] = pauses.tolist()
        return Stall.pattern(patterns)
