"""All that goes into the programmable logic, DMA channels and accelerator, in one simulation."""

import numpy as np

from finn_flow.deployment.driver.dma import BUILD_ID, ERRORS
from finn_flow.deployment.hardware.folder import write_hardware
from finn_flow.verilator import Design, StreamPort, pack, simulate
from tests.finn_flow.deployment.hardware.test_dma import BENCH, IN, OUT, READ, WAIT, Bench

FRAMES = 13


def test_frames_go_from_memory_to_memory(tiny, build_id, tmp_path):
    """The files are those that Vivado gets."""
    folder = tmp_path / "hardware"
    write_hardware(tiny.netlist, build_id, "ZCU104", folder)
    bench = Bench(tmp_path, pause=64)
    bench.store(0x1000, tiny.golden.inputs[:FRAMES].tobytes())
    bench.store(0x3000, bytes(16))
    bench.do(READ, OUT + BUILD_ID)
    bench.start(IN, 0x1000, FRAMES)
    bench.start(OUT, 0x3000, FRAMES)
    for channel in (OUT, IN):
        bench.do(WAIT, channel)
        bench.do(READ, channel + ERRORS)
    bench.load(0x3000, 16)
    values = np.array([[data, address, operation] for operation, address, data in bench.commands])
    design = Design(
        "dma_bench",
        [BENCH, *(folder / name for name in (folder / "sources.f").read_text().split())],
        [StreamPort("command", 72)],
        [StreamPort("response", 32)],
        parameters={"IN_BYTES": 1, "OUT_BYTES": 1, "PAUSE": bench.pause},
        data_files=[folder / name for name in (folder / "data.f").read_text().split()],
    )
    words = np.concatenate([pack(values[:, :2], 32), pack(values[:, 2:], 8)], axis=1)
    found = simulate(design, {"command": words}, {"response": bench.responses}).outputs["response"].view("<u4")[:, 0]
    assert found[0] == build_id
    assert found[[2, 4]].tolist() == [0, 0]
    expected = tiny.golden.logits[:FRAMES].argmax(axis=1).astype(np.uint8).tobytes()
    assert found[5:].tobytes() == expected + bytes(16 - FRAMES)
