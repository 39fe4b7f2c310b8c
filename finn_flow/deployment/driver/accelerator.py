"""The accelerator on the board: images in, classes out."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .dma import Channel
from .errors import BitfileError, BusyError, DmaTimeout, HardwareError, InputError, ShortTransferError
from .images import check_images
from .lock import LOCK_FILE, OverlayLock
from .manifest import BITFILE, Manifest, sha256
from .preprocessing import Uint8Array

if TYPE_CHECKING:
    from .tuning import Tuning

Images = Uint8Array | Sequence[Uint8Array]
Advance = Callable[[int, int], None]

INPUT_CHANNEL, OUTPUT_CHANNEL = "idma0", "odma0"
BUFFER_BYTES = 4 << 20
MOST_FRAMES = 256
_UNWRITTEN = 0xFF
_MARGIN = 20


@dataclass
class Timing:
    """Where the time of a call went, in seconds.

    Parameters
    ----------
    preprocess
        Channels and size of the images.
    pack
        Integers to bytes, into the DMA's buffer.
    wait
        For the DMAs and the accelerator, beyond what overlaps with the host's work.
    unpack
        Bytes to integers, with all checks.
    total
        From call to return.
    """

    preprocess: float = 0.0
    pack: float = 0.0
    wait: float = 0.0
    unpack: float = 0.0
    total: float = 0.0


class _Buffers:
    """An input and an output buffer that the DMAs can reach; used again and again."""

    def __init__(self, allocate: Any, frames: int, input_bytes: int, output_bytes: int) -> None:
        self.input = allocate(shape=(frames, input_bytes), dtype=np.uint8)
        self.output = allocate(shape=(frames, output_bytes), dtype=np.uint8)
        self.frames = 0


class Accelerator:
    """Loads the bitfile and classifies; a context manager.

    Calls may have any number of images: they go through in chunks, and while the accelerator works on one chunk the
    host prepares the next and reads the last. After an error, or an interrupt in the middle of a call, the next call
    loads the bitfile again first, so that it starts from a clean state. Calls from several threads are served one after
    the other; a forked child cannot use its parent's.

    Parameters
    ----------
    package
        Folder of the deployment package.
    bitfile
        Another bitfile than the package's own.
    batch_size
        Most frames of a chunk; by default 256, or what 4 MiB hold.
    timeout_s
        How long a chunk may take beyond 20 times what is expected.
    lock_file
        See `OverlayLock`.

    Attributes
    ----------
    manifest
        Of the package.
    timing
        Of the last call.

    Raises
    ------
    InputError
        No package there, or a damaged one.
    BitfileError
        No bitfile there, or one that does not belong to the package.
    BusyError
        Another process uses the accelerator.
    HardwareError
        PYNQ is missing, or it could not load the bitfile.
    """

    def __init__(
        self,
        package: Path,
        bitfile: Path | None = None,
        batch_size: int | None = None,
        timeout_s: float = 10.0,
        lock_file: Path = LOCK_FILE,
    ) -> None:
        self.manifest = Manifest.load(Path(package))
        fitting = max(1, min(MOST_FRAMES, BUFFER_BYTES // self.manifest.input.frame_bytes))
        self.batch_size = fitting if batch_size is None else batch_size
        if self.batch_size < 1:
            raise InputError(f"batch_size must be at least 1, not {batch_size}")
        if not timeout_s > 0:
            raise InputError(f"timeout_s must be positive, not {timeout_s}")
        self.timeout_s = timeout_s
        self.timing = Timing()
        bitfile = self._checked_bitfile(bitfile)
        try:
            import pynq
        except ImportError as error:
            raise HardwareError(
                f"PYNQ cannot be imported ({error}); run this on the board, in PYNQ's environment"
            ) from None
        self._lock = OverlayLock(lock_file)
        try:
            self._load(pynq, bitfile)
            self._buffers = self._allocate(pynq)
        except BaseException:
            self._lock.release()
            raise
        self._unfinished = False
        self._process = os.getpid()
        self._calls = threading.Lock()
        self._tuning: Tuning | None = None
        if self.manifest.parameters is not None:
            self._tuning = self._take_up_profile(self.manifest.parameters)

    def __enter__(self) -> Accelerator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give buffers and lock back, after the call that is under way; in a forked child they stay the parent's."""
        if os.getpid() != self._process:
            return
        with self._calls:
            for pair in self._buffers:
                pair.input.freebuffer()
                pair.output.freebuffer()
            self._buffers = []
            self._lock.release()

    @property
    def tuning(self) -> Tuning:
        """The parameters of the accelerator, which can be exchanged while it works.

        Raises
        ------
        InputError
            It was built without.
        """
        if self._tuning is None:
            raise InputError(
                "this accelerator cannot adapt; build it with step_make_parameters_writable, see docs/adaptation.md"
            )
        return self._tuning

    def _take_up_profile(self, instance: str) -> Tuning:
        from .tuning import Tuning  # only accelerators that adapt need it

        try:
            return Tuning(self.manifest, lambda: self._registers(instance), self.timeout_s)
        except BaseException:
            self.close()
            raise

    def _registers(self, instance: str) -> Any:
        if instance not in self._overlay.ip_dict:
            raise BitfileError(f"the bitfile has no {instance} with registers; it does not belong to this package")
        return getattr(self._overlay, instance)

    def classify(self, images: Images, progress: Advance | None = None) -> npt.NDArray[np.int64]:
        """Return the best classes of each image, or the integers of a network that gives values.

        Parameters
        ----------
        images
            uint8 [N, h, w, 1 or 3] or [N, h, w], N at least 1; or a sequence of such images of any sizes.
        progress
            Called with the number of images done and that of all.

        Returns
        -------
        npt.NDArray[np.int64]
            int64 [N, K], the best class first; of a network that gives values, its integers, channels last.

        Raises
        ------
        InputError
            Wrong type, shape or number of images.
        BusyError
            This is a forked child of the process that made the accelerator.
        DmaTimeout, DmaError, ShortTransferError
            The hardware failed.
        """
        if os.getpid() != self._process:
            raise BusyError(f"this accelerator belongs to process {self._process}, of which this one is a child")
        check_images(images)
        with self._calls:
            return self._classify(images, progress)

    def values(self, images: Images, progress: Advance | None = None) -> npt.NDArray[np.float64]:
        """Return the values [N, ..., channels] that a network gives; parameters and errors as of `classify`.

        Raises
        ------
        InputError
            The network gives classes.
        """
        if self.manifest.values is None:
            raise InputError("this network gives classes, not values; use `classify`")
        integers = self.classify(images, progress)
        return self.manifest.values.values(integers.reshape(len(integers), *self.manifest.output.shape))

    def _classify(self, images: Images, progress: Advance | None) -> npt.NDArray[np.int64]:
        if not self._buffers:
            raise InputError("this accelerator is closed; make a new one")
        started = time.perf_counter()
        self.timing = Timing()
        if self._unfinished:
            self._recover()
        self._unfinished = True
        labels = self._stream(images, progress)
        self._unfinished = False
        self.timing.total = time.perf_counter() - started
        return labels.reshape(len(images), -1)

    def _stream(self, images: Images, progress: Advance | None) -> npt.NDArray[np.int64]:
        """Chunk by chunk: the input of chunk k is on its way while chunk k-1 is computed and collected."""
        count = len(images)
        results: list[npt.NDArray[np.int64]] = []
        before: _Buffers | None = None
        for number, start in enumerate(range(0, count, self.batch_size)):
            pair = self._buffers[number % 2]
            self._fill(pair, images[start : start + self.batch_size])
            if before is not None:
                self._wait(self._input, before.frames)
            self._input.start(pair.input.device_address, pair.frames)
            if before is not None:
                self._wait(self._output, before.frames)
                self._output.start(pair.output.device_address, pair.frames)
                results.append(self._collect(before, start - before.frames))
                if progress is not None:
                    progress(start, count)
            else:
                self._output.start(pair.output.device_address, pair.frames)
            before = pair
        assert before is not None
        self._wait(self._output, before.frames)
        self._wait(self._input, before.frames)
        results.append(self._collect(before, count - before.frames))
        if progress is not None:
            progress(count, count)
        return np.concatenate(results)

    def _fill(self, pair: _Buffers, images: Images) -> None:
        clock = time.perf_counter
        started = clock()
        try:
            codes = self.manifest.preprocessing.apply(images)
        except ValueError as error:
            raise InputError(str(error)) from None
        prepared = clock()
        pair.frames = len(codes)
        self.manifest.input.pack(codes, pair.input[: pair.frames])
        pair.input.flush()
        pair.output[: pair.frames] = _UNWRITTEN
        pair.output.flush()
        self.timing.preprocess += prepared - started
        self.timing.pack += clock() - prepared

    def _wait(self, channel: Channel, frames: int) -> None:
        started = time.perf_counter()
        timeout_s = self.timeout_s + _MARGIN * frames * self.manifest.seconds_per_frame
        if not channel.wait(timeout_s, self._output if channel is self._input else None):
            if self._output.is_idle():
                raise ShortTransferError(
                    f"DMA channel {self._output} said that it is done before all images had been read"
                )
            unfinished = [str(channel) for channel in (self._output, self._input) if not channel.is_idle()]
            raise DmaTimeout(f"no end within {timeout_s:.3g} s of DMA channel {' and '.join(unfinished)}")
        self.timing.wait += time.perf_counter() - started

    def _collect(self, pair: _Buffers, first: int) -> npt.NDArray[np.int64]:
        """Return the results of a chunk from image number `first` on, after proving that all have arrived."""
        started = time.perf_counter()
        pair.output.invalidate()
        packed = np.asarray(pair.output[: pair.frames])
        labels = self.manifest.output.unpack(packed)
        classes = len(self.manifest.class_names)
        right = np.ones(pair.frames, dtype=bool)  # values may be any bits, signs in the padding too
        if classes:
            right = self.manifest.output.padding_is_zero(packed)
            right &= (labels < classes).reshape(pair.frames, -1).all(axis=1)
        if not right.all():
            at = int(np.argmin(right))
            raise ShortTransferError(
                f"DMA channel {OUTPUT_CHANNEL} (results to memory) said that it is done, "
                f"but no result has arrived for image {first + at}"
            )
        self.timing.unpack += time.perf_counter() - started
        return labels

    def _checked_bitfile(self, bitfile: Path | None) -> Path:
        path = bitfile or self.manifest.folder / BITFILE
        for needed in (path, path.with_suffix(".hwh")):
            if not needed.is_file():
                raise BitfileError(
                    f"{needed} is missing; build it with Vivado from the package's folder hardware/, see README.md"
                )
        known = self.manifest.files.get(BITFILE)
        self._bitfile_is_known = bitfile is None and known is not None
        if bitfile is None and known is not None and sha256(path) != known:
            raise BitfileError(f"{path} is not the one that this package was made with; copy the package again")
        return path

    def _load(self, pynq: Any, bitfile: Path) -> None:
        try:
            self._overlay = pynq.Overlay(str(bitfile))
        except Exception as error:  # PYNQ raises whatever its layers raise
            raise HardwareError(f"PYNQ could not load {bitfile}: {error}") from error
        missing = [name for name in (INPUT_CHANNEL, OUTPUT_CHANNEL) if name not in self._overlay.ip_dict]
        if missing:
            raise BitfileError(f"{bitfile} has no DMA channel {missing[0]}; it does not belong to this package")
        self._input = Channel(INPUT_CHANNEL, "images from memory", getattr(self._overlay, INPUT_CHANNEL))
        self._output = Channel(OUTPUT_CHANNEL, "results to memory", getattr(self._overlay, OUTPUT_CHANNEL))
        for channel in (self._input, self._output):
            if channel.build_id != self.manifest.build_id and not (channel.build_id == 0 and self._bitfile_is_known):
                raise BitfileError(
                    f"{bitfile} does not belong to this package: its build number is {channel.build_id:08x}, "
                    f"not {self.manifest.build_id:08x}; build it from this package's folder hardware/"
                )

    def _allocate(self, pynq: Any) -> list[_Buffers]:
        sizes = (self.batch_size, self.manifest.input.frame_bytes, self.manifest.output.frame_bytes)
        try:
            return [_Buffers(pynq.allocate, *sizes) for _ in range(2)]
        except (MemoryError, RuntimeError, OSError) as error:
            raise HardwareError(
                f"no memory for buffers of {self.batch_size} frames: {error}; use a smaller batch"
            ) from None

    def _recover(self) -> None:
        """Bring the logic into a known state by loading the bitfile again."""
        try:
            self._overlay.download()
        except Exception as error:  # as in `_load`
            raise HardwareError(f"PYNQ could not load the bitfile again: {error}") from error
        if self._tuning is not None:
            self._tuning.restore()
