"""The driver on the simulated board: exact results, any number of images, faults of the hardware."""

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from finn_flow.deployment.driver.errors import (
    BitfileError,
    BusyError,
    DmaError,
    DmaTimeout,
    HardwareError,
    InputError,
    ShortTransferError,
)
from finn_flow.deployment.driver.lock import LOCK_FILE, OverlayLock, check_lock_file
from finn_flow.deployment.simulated_board import Fault
from tests.finn_flow.deployment.bitfiles import with_bitfile

SOON_S = 0.5


@pytest.mark.parametrize("count", [1, 7, 64])
@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_real_images_are_classified_exactly(boards, accelerators, digits, count, stall):
    images, expected = digits
    accelerator = accelerators(boards(stall=stall), batch_size=16)
    for _ in range(2):
        np.testing.assert_array_equal(accelerator.classify(images[:count]), expected[:count])


@pytest.mark.parametrize("batch_size", [1, 7, 64, None])
def test_the_batch_size_changes_nothing(boards, accelerators, digits, batch_size):
    images, expected = digits
    seen = []
    accelerator = accelerators(boards(), batch_size=batch_size)
    found = accelerator.classify(list(images), lambda done, count: seen.append((done, count)))
    np.testing.assert_array_equal(found, expected)
    assert seen[-1] == (64, 64)
    assert len(seen) == -(-64 // accelerator.batch_size)
    timing = accelerator.timing
    assert 0 < timing.preprocess + timing.pack + timing.wait + timing.unpack <= timing.total


def test_images_of_mixed_sizes(boards, accelerators, digits):
    images, expected = digits
    colour = np.repeat(images[1][:, :, np.newaxis], 3, axis=2)
    found = accelerators(boards()).classify([images[0], colour, images[2][:, :, np.newaxis]])
    np.testing.assert_array_equal(found, expected[:3])


def test_finns_own_dma_without_the_additional_registers(boards, accelerators, package, digits, tmp_path):
    """A bitfile of FINN's flow is known by its checksum."""
    images, expected = digits
    board = boards(build_id=0)
    with pytest.raises(BitfileError, match="build number is 00000000"):
        accelerators(board)
    copied = with_bitfile(package, board.bitfile, tmp_path / "copy")
    from finn_flow.deployment.driver import Accelerator

    with Accelerator(copied, timeout_s=300, lock_file=tmp_path / "lock") as accelerator:
        np.testing.assert_array_equal(accelerator.classify(images), expected)


@pytest.mark.parametrize("after_frames", [0, 5, 30])
@pytest.mark.parametrize(
    ("kind", "channel", "error", "message"),
    [
        ("memory_error", "idma0", DmaError, r"idma0 \(images from .* failed: the memory answered with an error"),
        ("memory_error", "odma0", DmaError, r"odma0 \(results to .* failed: the memory answered with an error"),
        (
            "no_completion",
            "odma0",
            DmaTimeout,
            r"DMA channel odma0 \(results to memory, \d+ of 32 frames transferred\)",
        ),
        ("no_completion", "idma0", DmaTimeout, r" idma0 \(images from memory, \d+ of 32 frames transferred\)"),
        ("short_transfer", "odma0", ShortTransferError, r"odma0 .* said that it is done"),
        ("reset", "odma0", DmaTimeout, r"DMA channel odma0 \(results to memory, \d+ of 32 frames transferred\)"),
    ],
)
def test_a_fault_is_an_error_and_the_next_call_works(
    boards, accelerators, digits, kind, channel, error, message, after_frames
):
    images, expected = digits
    board = boards()
    patient = kind not in ("no_completion", "reset")
    accelerator = accelerators(board, batch_size=32, timeout_s=300.0 if patient else SOON_S)
    board.inject(Fault(kind, channel, after_frames))
    with pytest.raises(error, match=message):
        accelerator.classify(images)
    accelerator.timeout_s = 300.0
    np.testing.assert_array_equal(accelerator.classify(images), expected)


def test_an_interrupted_call_leaves_nothing_behind(boards, accelerators, digits):
    images, expected = digits
    accelerator = accelerators(boards(), batch_size=8)

    def interrupt(done: int, count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        accelerator.classify(images, interrupt)
    np.testing.assert_array_equal(accelerator.classify(images[:9]), expected[:9])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 6), np.float32), r"images must be uint8 \(0 to 255\), but they are float32$"),
        (np.full((2, 8, 6), np.nan), r"must be uint8 .* float64 and contain NaN"),
        (np.zeros((8, 6), np.uint8), r"must have shape .*, not \[8, 6\]"),
        (np.zeros((2, 8, 6, 4), np.uint8), r"must have shape .*, not \[2, 8, 6, 4\]"),
        (np.zeros((0, 8, 6), np.uint8), "there are no images"),
        ([], "there are no images"),
        ([np.zeros((8, 6), np.uint8), np.zeros((8, 6), np.int64)], "image 1: images must be uint8"),
        ([np.zeros(8, np.uint8)], "image 0 must be an array of shape"),
        ("digits.png", "must be an array or a list of arrays, not str"),
    ],
)
def test_what_is_no_image_is_refused_before_anything_starts(boards, accelerators, digits, images, message):
    accelerator = accelerators(boards())
    with pytest.raises(InputError, match=message):
        accelerator.classify(images)
    np.testing.assert_array_equal(accelerator.classify(digits[0][:2]), digits[1][:2])


def test_a_second_user_is_refused_until_the_first_has_closed(boards, accelerators):
    board = boards()
    first = accelerators(board)
    with pytest.raises(BusyError, match=r"in use by process \d+; wait for it to end"):
        accelerators(board)
    first.close()
    first.close()
    accelerators(board)
    with pytest.raises(InputError, match="closed"):
        first.classify(np.zeros((1, 8, 6), np.uint8))


def test_calls_from_many_threads_are_served_one_after_the_other(boards, accelerators, digits):
    images, expected = digits
    accelerator = accelerators(boards(), batch_size=4)
    with ThreadPoolExecutor(21) as pool:
        found = list(pool.map(lambda n: accelerator.classify(images[n : n + 7]), range(21)))
    for number, classes in enumerate(found):
        np.testing.assert_array_equal(classes, expected[number : number + 7])


def test_a_forked_child_is_refused_and_does_no_harm(boards, accelerators, digits):
    images, expected = digits
    board = boards()
    accelerator = accelerators(board)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with pytest.raises(BusyError, match=f"belongs to process {os.getppid()}, of which this one is a child"):
                accelerator.classify(images[:1])
            accelerator.close()
            with pytest.raises(BusyError, match=f"in use by process {os.getppid()}"):
                accelerators(board)
            os.write(write, b"refused")
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        assert answer.read() == "refused"
    os.waitpid(child, 0)
    np.testing.assert_array_equal(accelerator.classify(images[:5]), expected[:5])


def test_a_child_does_not_keep_the_lock_of_a_parent_that_has_ended(tmp_path):
    lock = OverlayLock(tmp_path / "lock")
    (started, starting), (waiting, go_on) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go_on)
        os.write(starting, b"1")
        os.read(waiting, 1)
        os._exit(0)
    os.read(started, 1)
    lock.release()
    OverlayLock(tmp_path / "lock").release()
    os.close(go_on)
    os.waitpid(child, 0)
    for end in (started, starting, waiting):
        os.close(end)


def test_another_accelerators_bitfile_is_refused(boards, accelerators, build_id):
    with pytest.raises(BitfileError, match=f"build number is {build_id ^ 1:08x}, not {build_id:08x}"):
        accelerators(boards(build_id=build_id ^ 1))
    accelerators(boards())  # the lock was given back


def test_a_missing_or_changed_bitfile(boards, package, tmp_path):
    from finn_flow.deployment.driver import Accelerator

    with pytest.raises(BitfileError, match=r"finn-accel.bit is missing; build it with Vivado .* hardware/"):
        Accelerator(package)
    board = boards()
    copied = with_bitfile(package, board.bitfile, tmp_path / "copy")
    (copied / "bitfile" / "finn-accel.bit").write_bytes(b"other")
    with pytest.raises(BitfileError, match="not the one that this package was made with"):
        Accelerator(copied)
    (copied / "bitfile" / "finn-accel.hwh").unlink()
    with pytest.raises(BitfileError, match=re.escape("finn-accel.hwh is missing")):
        Accelerator(copied)


def test_a_bitfile_that_pynq_refuses(package, boards, tmp_path):
    from finn_flow.deployment.driver import Accelerator

    boards()
    for suffix in (".bit", ".hwh"):
        (tmp_path / f"x{suffix}").write_text("nothing")
    with pytest.raises(HardwareError, match="PYNQ could not load"):
        Accelerator(package, tmp_path / "x.bit", lock_file=tmp_path / "lock")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"batch_size": 0}, "batch_size must be at least 1, not 0"), ({"timeout_s": 0.0}, "timeout_s must be positive")],
)
def test_bad_options(boards, accelerators, options, message):
    with pytest.raises(InputError, match=message):
        accelerators(boards(), **options)


def test_buffers_that_do_not_fit(boards, accelerators):
    with pytest.raises(HardwareError, match="use a smaller batch"):
        accelerators(boards(), batch_size=1 << 20)


def test_without_pynq(package, tmp_path, monkeypatch):
    from finn_flow.deployment.driver import Accelerator

    for suffix in (".bit", ".hwh"):
        (tmp_path / f"x{suffix}").touch()
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(HardwareError, match="PYNQ cannot be imported"):
        Accelerator(package, tmp_path / "x.bit")


def test_the_lock_is_a_regular_file_of_one_name_and_no_link(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("text")
    lock = tmp_path / "lock"
    lock.symlink_to(precious)
    with pytest.raises(HardwareError, match="cannot open the lock"):
        OverlayLock(lock)
    lock.unlink()
    lock.hardlink_to(precious)
    with pytest.raises(HardwareError, match="no regular file, or has a second name; remove it"):
        OverlayLock(lock)
    lock.unlink()
    os.mkfifo(lock)
    with pytest.raises(HardwareError, match="no regular file"):
        OverlayLock(lock)
    assert precious.read_text() == "text"
    state = precious.stat()
    owned = os.stat_result((state.st_mode, 1, 1, 1, 1000, 0, 0, 0, 0, 0))
    check_lock_file(precious, owned, user=1000)
    with pytest.raises(HardwareError, match="belongs to user 1000; remove it"):
        check_lock_file(precious, owned, user=0)


def test_the_lock_is_in_one_place_whatever_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert Path("/run/lock/dsode-accelerator.lock") == LOCK_FILE
