"""The DMA channels in Verilator: between a memory with pauses and a module that passes words through."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from finn_flow.deployment.driver.dma import (
    ADDRESS_HIGH,
    ADDRESS_LOW,
    BUILD_ID,
    CONTROL,
    ERRORS,
    FRAMES,
    FRAMES_DONE,
    IDLE,
    START,
)
from finn_flow.deployment.hardware.dma import CORES, INPUT_TEMPLATE, OUTPUT_TEMPLATE, RTL
from finn_flow.templates import fill_template
from finn_flow.verilator import Design, Stall, StreamPort, lint, pack, simulate

BENCH = Path(__file__).parent / "rtl" / "dma_bench.sv"
IN, OUT = 0x0000, 0x10000
WRITE, READ, WAIT, STORE, LOAD, BREAK = range(6)
NUMBER = 0xABCD1234


@dataclass
class Bench:
    """A list of commands and what they should answer; `run` carries them out."""

    folder: Path
    frame_words: int = 1
    stream_bytes: int = 1
    pause: int = 0

    def __post_init__(self) -> None:
        self.commands: list[tuple[int, int, int]] = []
        self.responses = 0

    def do(self, operation: int, address: int, data: int = 0) -> None:
        self.commands.append((operation, address, data))
        self.responses += operation in (READ, WAIT, LOAD)

    def start(self, channel: int, address: int, frames: int) -> None:
        for offset, value in ((ADDRESS_LOW, address), (ADDRESS_HIGH, 0), (FRAMES, frames), (CONTROL, START)):
            self.do(WRITE, channel + offset, value)

    def store(self, address: int, content: bytes) -> None:
        for offset in range(0, len(content), 4):
            self.do(STORE, address + offset, int.from_bytes(content[offset : offset + 4], "little"))

    def load(self, address: int, size: int) -> None:
        for offset in range(0, size, 4):
            self.do(LOAD, address + offset)

    def sources(self) -> list[Path]:
        sizes = {"STREAM_BYTES": str(self.stream_bytes), "FRAME_WORDS": str(self.frame_words)}
        paths = [BENCH, *(RTL / name for name in CORES)]
        for template in (INPUT_TEMPLATE, OUTPUT_TEMPLATE):
            path = self.folder / template.removesuffix(".in")
            path.write_text(fill_template(RTL / template, {**sizes, "BUILD_ID": f"{NUMBER:08x}"}))
            paths.append(path)
        passing = self.folder / "accelerator.v"
        width = f"[{8 * self.stream_bytes - 1}:0]"
        passing.write_text(
            f"module accelerator (input wire ap_clk, ap_rst_n, input wire {width} in0_V_TDATA,\n"
            f"    input wire in0_V_TVALID, output wire in0_V_TREADY,\n"
            f"    output wire {width} out0_V_TDATA, output wire out0_V_TVALID,\n"
            "    input wire out0_V_TREADY);\n"
            "    assign {out0_V_TDATA, out0_V_TVALID, in0_V_TREADY} = {in0_V_TDATA, in0_V_TVALID, out0_V_TREADY};\n"
            "endmodule\n"
        )
        return [*paths, passing]

    def run(self) -> np.ndarray:
        """Return what the commands answered, uint32 [responses]."""
        parameters: dict[str, int | str] = {
            "IN_BYTES": self.stream_bytes,
            "OUT_BYTES": self.stream_bytes,
            "PAUSE": self.pause,
        }
        design = Design(
            "dma_bench",
            self.sources(),
            [StreamPort("command", 72)],
            [StreamPort("response", 32)],
            parameters=parameters,
        )
        values = [[data, address, operation] for operation, address, data in self.commands]
        words = np.concatenate([pack(np.array(values)[:, :2], 32), pack(np.array(values)[:, 2:], 8)], axis=1)
        result = simulate(design, {"command": words}, {"response": self.responses}, stall=Stall.none())
        return result.outputs["response"].view("<u4")[:, 0]


@pytest.mark.parametrize("pause", [0, 160])
@pytest.mark.parametrize(
    ("stream_bytes", "frame_words", "frames"),
    [(1, 1, 7), (1, 1, 300), (1, 49, 13), (3, 10, 31), (8, 16, 9), (11, 5, 6), (24, 7, 3)],
)
def test_a_transfer_copies_every_byte_and_no_other(
    tmp_path: Path, stream_bytes: int, frame_words: int, frames: int, pause: int
) -> None:
    bench = Bench(tmp_path, frame_words, stream_bytes, pause)
    size = frames * frame_words * stream_bytes
    room = (size + 8) // 8 * 8
    content = np.random.default_rng(1).integers(0, 256, size, np.uint8).tobytes()
    bench.store(0x1000, content + bytes(-size % 4))
    bench.store(0x3000, b"\xee" * room)
    bench.start(IN, 0x1000, frames)
    bench.start(OUT, 0x3000, frames)
    for channel in (OUT, IN):
        bench.do(WAIT, channel)
        bench.do(READ, channel + ERRORS)
        bench.do(READ, channel + FRAMES_DONE)
    bench.load(0x3000, room)
    found = bench.run()
    assert found[[1, 2, 4, 5]].tolist() == [0, frames, 0, frames]
    assert found[6:].tobytes() == content + b"\xee" * (room - size)


def test_transfers_follow_each_other_and_the_input_may_be_ahead(tmp_path: Path) -> None:
    bench = Bench(tmp_path, frame_words=5, stream_bytes=3, pause=100)
    content = bytes(range(240))
    bench.store(0x1000, content)
    bench.start(IN, 0x1000, 16)
    for half in range(2):
        bench.start(OUT, 0x3000 + 0x1000 * half, 8)
        bench.do(WAIT, OUT)
    bench.do(WAIT, IN)
    bench.load(0x3000, 120)
    bench.load(0x4000, 120)
    assert bench.run()[3:].tobytes() == content


def test_registers(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.do(READ, OUT + BUILD_ID)
    bench.do(READ, OUT + CONTROL)
    bench.start(OUT, 0x3000, 0)
    bench.do(WAIT, OUT)  # no frames are soon done
    bench.do(READ, OUT + CONTROL)
    bench.start(OUT, 0x3000, 2)
    bench.do(READ, OUT + CONTROL)
    bench.do(WRITE, OUT + FRAMES, 9)  # too late
    bench.do(READ, OUT + FRAMES)
    found = bench.run().tolist()
    done = 0x2
    assert found == [NUMBER, IDLE, IDLE | done, IDLE, START, 2]


def test_a_wrong_address_or_count_is_refused_with_an_error(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for channel, address, frames in ((IN, 0x1040, 4), (OUT, 0x3008, 4), (IN, 0x1000, 1 << 24)):
        bench.start(channel, address, frames)
        bench.do(WAIT, channel)
        bench.do(READ, channel + ERRORS)
        bench.do(READ, channel + FRAMES_DONE)
    bench.start(IN, 0x1000, 4)
    bench.start(OUT, 0x3000, 4)
    bench.do(WAIT, IN)
    bench.do(READ, IN + ERRORS)
    found = bench.run().tolist()
    assert [found[i] for i in (1, 2, 4, 5, 7, 8)] == [2, 0] * 3
    assert found[-1] == 0


@pytest.mark.parametrize(("broken", "channel"), [(1, IN), (2, OUT)])
def test_an_error_of_the_memory_is_reported_and_the_next_transfer_is_clean(
    tmp_path: Path, broken: int, channel: int
) -> None:
    bench = Bench(tmp_path)
    for errors in (broken, 0):
        bench.do(BREAK, 0, errors)
        bench.start(IN, 0x1000, 40)
        bench.start(OUT, 0x3000, 40)
        for name in (IN, OUT):
            bench.do(WAIT, name)
        bench.do(READ, channel + ERRORS)
    assert bench.run()[[2, 5]].tolist() == [1, 0]


@pytest.mark.parametrize("sizes", [(1, 1), (1, 784), (3, 49), (24, 7)])
@pytest.mark.parametrize("top", ["idma_core", "odma_core"])
def test_cores_lint(top: str, sizes: tuple[int, int]) -> None:
    lint(top, [RTL / name for name in CORES], {"STREAM_BYTES": sizes[0], "FRAME_WORDS": sizes[1]})
