"""How fast the accelerator is, seen from the host."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .accelerator import Accelerator, Timing
from .errors import InputError
from .preprocessing import Uint8Array
from .rails import RailMonitor

Report = Callable[[str], None]


def benchmark(
    accelerator: Accelerator, batches: list[int], frames: int, latency_frames: int, report: Report
) -> dict[str, Any]:
    """Measure throughput for batch sizes, and the latency of single images.

    Parameters
    ----------
    batches
        Sizes of the chunks; each at most the accelerator's `batch_size`.
    frames
        Frames to send for each batch size, at least one batch.
    latency_frames
        Single images to time.
    report
        Called with one line per measurement.

    Returns
    -------
    dict[str, Any]
        What `benchmark --json` prints.

    Raises
    ------
    InputError
        A batch size is out of range.
    HardwareError
        As `Accelerator.classify`.
    """
    import pynq

    most = accelerator.batch_size
    for batch in batches:
        if not 1 <= batch <= most:
            raise InputError(f"batch sizes must be 1 to {most}, not {batch}; --batch-size sets the largest")
    images = _random_images(accelerator, max(frames, *batches))
    accelerator.classify(images[:1])
    rows = []
    with RailMonitor(pynq) as rails:
        for batch in batches:
            rows.append(_throughput(accelerator, images, batch, frames))
            report(f"batch {batch}: {rows[-1]['frames_per_second']:,.0f} frames/s")
        latencies = np.array([_latency(accelerator, images[i % len(images)]) for i in range(latency_frames)])
    manifest = accelerator.manifest
    return {
        "throughput": rows,
        "latency_ms": {
            "frames": latency_frames,
            "median": float(np.median(latencies)) * 1e3,
            "p99": float(np.percentile(latencies, 99)) * 1e3,
            "min": float(latencies.min()) * 1e3,
        },
        "expected": {
            "frames_per_second": 1 / manifest.seconds_per_frame,
            "cycles_per_frame": manifest.cycles_per_frame,
            "clock_mhz": manifest.clock_mhz,
        },
        "mean_power_w": rails.mean_power_w(),
    }


def _throughput(accelerator: Accelerator, images: Uint8Array, batch: int, frames: int) -> dict[str, Any]:
    """One row: frames per second, and what share of the time each part took."""
    count = max(batch, frames // batch * batch)
    largest = accelerator.batch_size
    accelerator.batch_size = batch
    try:
        accelerator.classify(images[:count])
    finally:
        accelerator.batch_size = largest
    timing = accelerator.timing
    return {
        "batch": batch,
        "frames": count,
        "seconds": timing.total,
        "frames_per_second": count / timing.total,
        "shares": shares(timing),
        "pack_us_per_frame": timing.pack / count * 1e6,
        "unpack_us_per_frame": timing.unpack / count * 1e6,
    }


def shares(timing: Timing) -> dict[str, float]:
    """Parts of the total time, which add up to 1: the DMAs and the accelerator, and the host's work."""
    total = timing.total
    parts = {name: getattr(timing, name) / total for name in ("wait", "preprocess", "pack", "unpack")}
    return {"dma_wait": parts.pop("wait"), **parts, "other": max(0.0, 1 - sum(parts.values()) - timing.wait / total)}


def _latency(accelerator: Accelerator, image: Uint8Array) -> float:
    """Seconds from an image on the host to its class on the host."""
    started = time.perf_counter()
    accelerator.classify(image[np.newaxis])
    return time.perf_counter() - started


def _random_images(accelerator: Accelerator, count: int) -> Uint8Array:
    shape = accelerator.manifest.input.shape
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)
