"""The DMA channels against the AXI models of cocotbext-axi; runs inside the simulation, see `test_axi.py`.

The memory is one `FaultyMemory` of 40 address bits behind a read and a write slave; each of the channels of all ports
pauses on its own.
"""

import random
from collections.abc import Iterator

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiReadBus,
    AxiSlaveRead,
    AxiSlaveWrite,
    AxiWriteBus,
    SparseMemoryRegion,
)

from finn_flow.deployment.driver.dma import (
    ADDRESS_HIGH,
    ADDRESS_LOW,
    BUILD_ID,
    CONTROL,
    DONE,
    ERRORS,
    FRAMES,
    FRAMES_DONE,
    IDLE,
    START,
)

FRAME_WORDS, STREAM_BYTES, NUMBER = 10, 3, 0xABCD1234
FRAME_BYTES = FRAME_WORDS * STREAM_BYTES
MEMORY_ERROR, ADDRESS_ERROR = 1, 2
TIMEOUT_US = 500
PAGE, GUARD = 4096, b"\xee" * 64


class FaultyMemory(SparseMemoryRegion):
    """A memory that answers with an error from one of its addresses to another."""

    broken = range(0)

    async def _read(self, address, length, **options):
        self._check(address, length)
        return await super()._read(address, length, **options)

    async def _write(self, address, data, **options):
        self._check(address, len(data))
        await super()._write(address, data, **options)

    def _check(self, address, length):
        if address in self.broken or address + length - 1 in self.broken:
            raise ValueError("broken")


class Bench:
    """The design under test with everything around it."""

    def __init__(self, dut, seed: int) -> None:
        self.dut, self.random = dut, random.Random(f"{cocotb.RANDOM_SEED} {seed}")
        reset = {"reset": dut.rst_n, "reset_active_level": False}
        self.memory = FaultyMemory(1 << 40)
        self.read = AxiSlaveRead(AxiReadBus.from_prefix(dut, "memory"), dut.clk, target=self.memory, **reset)
        self.write = AxiSlaveWrite(AxiWriteBus.from_prefix(dut, "memory"), dut.clk, target=self.memory, **reset)
        # The model may have all data of a burst before its address.
        self.write.w_channel.queue_occupancy_limit = 64
        self.ports = {
            name: AxiLiteMaster(AxiLiteBus.from_prefix(dut, f"{name}_control"), dut.clk, **reset)
            for name in ("in", "out")
        }

    @classmethod
    async def start(cls, dut, seed: int) -> "Bench":
        cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
        dut.rst_n.value = 0
        dut.stream_go.value = 1
        bench = cls(dut, seed)
        await ClockCycles(dut.clk, 4)
        dut.rst_n.value = 1
        await ClockCycles(dut.clk, 2)
        return bench

    @property
    def channels(self) -> list:
        """All channels of the models, of memory and registers."""
        masters = [port for master in self.ports.values() for port in (master.read_if, master.write_if)]
        names = ("ar_channel", "r_channel", "aw_channel", "w_channel", "b_channel")
        sides = [self.read, self.write, *masters]
        return [getattr(side, name) for side in sides for name in names if hasattr(side, name)]

    def pauses(self, share: float) -> Iterator[bool]:
        while True:
            yield self.random.random() < share

    def pause_all(self) -> None:
        """Give each channel its own share of cycles in which it pauses, and the stream between the channels."""
        for channel in self.channels:
            channel.clear_pause_generator()
            channel.set_pause_generator(self.pauses(self.random.choice((0, 0.2, 0.6, 0.9))))
        self.stream_pause = self.random.choice((0, 0.2, 0.6, 0.9))

    async def shake_stream(self) -> None:
        self.stream_pause = 0.0
        while True:
            await FallingEdge(self.dut.clk)
            self.dut.stream_go.value = int(self.random.random() >= self.stream_pause)

    async def get(self, name: str, offset: int) -> int:
        return await self.ports[name].read_dword(offset)

    async def put(self, name: str, offset: int, value: int) -> None:
        await self.ports[name].write_dword(offset, value)

    async def begin(self, name: str, address: int, frames: int) -> None:
        for offset, value in (
            (ADDRESS_LOW, address & 0xFFFFFFFF),
            (ADDRESS_HIGH, address >> 32),
            (FRAMES, frames),
            (CONTROL, START),
        ):
            await self.put(name, offset, value)

    async def end(self, name: str) -> tuple[int, int]:
        """Wait for the end; returns errors and frames."""

        async def done():
            while not await self.get(name, CONTROL) & DONE:
                await ClockCycles(self.dut.clk, 20)

        await with_timeout(cocotb.start_soon(done()), TIMEOUT_US, "us")
        return await self.get(name, ERRORS), await self.get(name, FRAMES_DONE)

    async def fill(self, address: int, content: bytes) -> None:
        await self.memory.write(address, content)

    async def contents(self, address: int, size: int) -> bytes:
        return bytes(await self.memory.read(address, size))

    def place(self) -> int:
        """Return an address near a border of 4 KiB, anywhere in 39 bits."""
        page = self.random.choice((1, 7, 1 << 10, 1 << 20, (1 << 27) - 4))
        return page * PAGE + 128 * self.random.randrange(-3, 3)


async def copy(bench: Bench, source: int, target: int, frames: int) -> None:
    """One transfer through both channels; every byte is compared, and those around it."""
    size = frames * FRAME_BYTES
    content = bench.random.randbytes(size)
    await bench.fill(source, content)
    await bench.fill(target - len(GUARD), GUARD + bytes(size) + GUARD)
    await bench.begin("in", source, frames)
    await bench.begin("out", target, frames)
    assert await bench.end("out") == (0, frames)
    assert await bench.end("in") == (0, frames)
    assert await bench.contents(target - len(GUARD), size + 2 * len(GUARD)) == GUARD + content + GUARD


@cocotb.test()
async def registers_keep_what_is_written(dut):
    bench = await Bench.start(dut, 1)
    for _ in range(12):
        bench.pause_all()
        for name in ("in", "out"):
            values = {offset: bench.random.getrandbits(32) for offset in (ADDRESS_LOW, ADDRESS_HIGH, FRAMES)}
            for offset, value in values.items():
                await bench.put(name, offset, value)
            await bench.put(name, BUILD_ID, 0)
            await bench.put(name, 0x40, 1)
            found = {offset: await bench.get(name, offset) for offset in values}
            assert found == values
            assert await bench.get(name, BUILD_ID) == NUMBER
            assert await bench.get(name, CONTROL) == IDLE
            assert await bench.get(name, 0x40) == 0


@cocotb.test()
async def registers_take_address_and_data_in_any_order(dut):
    bench = await Bench.start(dut, 2)
    port = bench.ports["in"].write_if
    for late in (port.w_channel, port.aw_channel):
        for value in (5, 6):
            late.pause = True
            write = cocotb.start_soon(bench.put("in", FRAMES, value))
            await ClockCycles(dut.clk, 20)
            assert not write.done()
            late.pause = False
            await with_timeout(write, 2, "us")
            assert await bench.get("in", FRAMES) == value


@cocotb.test()
async def transfers_copy_every_byte_with_any_pauses(dut):
    bench = await Bench.start(dut, 3)
    cocotb.start_soon(bench.shake_stream())
    for number in range(16):
        bench.pause_all()
        source, target = bench.place(), bench.place() + (1 << 39)
        await copy(bench, source, target, bench.random.choice((1, 2, 5, 13, 40)) if number else 150)


@cocotb.test()
async def transfers_back_to_back(dut):
    """The input is ahead of the output, as the driver lets it."""
    bench = await Bench.start(dut, 4)
    frames, rounds = 9, 8
    content = [bench.random.randbytes(frames * FRAME_BYTES) for _ in range(rounds)]
    for number, data in enumerate(content):
        await bench.fill(PAGE * number, data)

    async def inputs():
        for number in range(rounds):
            await bench.begin("in", PAGE * number, frames)
            assert await bench.end("in") == (0, frames)

    async def outputs():
        for number in range(rounds):
            await bench.begin("out", (1 << 36) + PAGE * number, frames)
            assert await bench.end("out") == (0, frames)

    both = cocotb.start_soon(inputs()), cocotb.start_soon(outputs())
    for task in both:
        await with_timeout(task, 2, "ms")
    for number, data in enumerate(content):
        assert await bench.contents((1 << 36) + PAGE * number, len(data)) == data


@cocotb.test()
async def the_memory_may_take_address_and_data_in_any_order(dut):
    bench = await Bench.start(dut, 5)
    address, data = bench.write.aw_channel, bench.write.w_channel

    def until(condition):
        while True:
            yield not condition()

    taken = {"address": 0, "bursts": 0}

    async def count():
        while True:
            await RisingEdge(dut.clk)
            taken["address"] += int(dut.memory_awvalid.value) & int(dut.memory_awready.value)
            last = int(dut.memory_wvalid.value) & int(dut.memory_wready.value) & int(dut.memory_wlast.value)
            taken["bursts"] += last

    def ahead() -> int:
        """Bursts of which all data, but not the address, has been taken; negative the other way round."""
        return taken["bursts"] - taken["address"]

    cocotb.start_soon(count())
    orders = {
        "the address waits until data is offered": (address, lambda: bool(dut.memory_wvalid.value) or ahead() > 0),
        "the data waits until an address is offered": (data, lambda: bool(dut.memory_awvalid.value) or ahead() < 0),
        "the address waits until all data is taken": (address, lambda: ahead() > 0),
        "the data waits until the address is taken": (data, lambda: ahead() < 0),
    }
    for name, (channel, condition) in orders.items():
        dut._log.info(name)
        channel.set_pause_generator(until(condition))
        await copy(bench, 3 * PAGE, 8 * PAGE, 23)
        channel.clear_pause_generator()
        channel.pause = False


@cocotb.test()
async def errors_of_the_memory_are_reported_once(dut):
    bench = await Bench.start(dut, 6)
    source, target, frames = 5 * PAGE - 128, 64 * PAGE - 256, 40
    size = frames * FRAME_BYTES
    for name, start in (("in", source), ("out", target)):
        for first in (0, 8, 500, size - 8):
            bench.pause_all()
            bench.memory.broken = range(start + first, start + first + 8)
            await bench.begin("in", source, frames)
            await bench.begin("out", target, frames)
            ends = {port: await bench.end(port) for port in ("out", "in")}
            other = {"in": "out", "out": "in"}[name]
            assert ends == {name: (MEMORY_ERROR, frames), other: (0, frames)}
            bench.memory.broken = range(0)
            await copy(bench, source, target, 3)


@cocotb.test()
async def impossible_transfers_touch_nothing(dut):
    bench = await Bench.start(dut, 7)
    wrong = ((PAGE + 64, 4), (PAGE + 1, 4), (1 << 40, 4), ((1 << 63) + PAGE, 4), (PAGE, 1 << 24), (PAGE, 0xFFFFFFFF))
    for name in ("in", "out"):
        for address, frames in wrong:
            await bench.begin(name, address, frames)
            assert await bench.end(name) == (ADDRESS_ERROR, 0)
        await bench.begin(name, PAGE, 0)
        assert await bench.end(name) == (0, 0)
    assert bench.read.ar_channel.empty()
    assert bench.write.aw_channel.empty()
    await copy(bench, PAGE, 4 * PAGE, 2)


@cocotb.test()
async def arguments_hold_while_a_transfer_runs(dut):
    bench = await Bench.start(dut, 8)
    dut.stream_go.value = 0
    await bench.fill(PAGE, bytes(range(60)))
    await bench.begin("in", PAGE, 2)
    await bench.begin("in", 9 * PAGE, 7)
    assert await bench.get("in", CONTROL) == START
    assert (await bench.get("in", ADDRESS_LOW), await bench.get("in", FRAMES)) == (PAGE, 2)
    await bench.begin("out", 2 * PAGE, 2)
    dut.stream_go.value = 1
    assert await bench.end("in") == (0, 2)
    assert await bench.end("out") == (0, 2)
    assert await bench.contents(2 * PAGE, 60) == bytes(range(60))
