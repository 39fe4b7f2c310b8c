"""The driver's command line: `python3 -m driver COMMAND` in the package's folder.

Exit status: 0 it worked; 1 the hardware failed, or a validation did; 2 bad input.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .accelerator import Accelerator
from .adapting import add_commands
from .benchmark import benchmark, shares
from .errors import DriverError, InputError
from .images import read_images
from .lock import LOCK_FILE
from .serve import DEFAULT_PORT, LOCAL_HOST, serve
from .validation import validate_data, validate_samples

FAILED, BAD_INPUT = 1, 2


def main(arguments: Sequence[str] | None = None, package: Path | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments
        What stands after the command's name; the process's own if None.
    package
        The package's folder; the one that this driver is in if None.
    """
    options = _parser().parse_args(arguments)
    package = package or Path(__file__).resolve().parents[1]
    try:
        with Accelerator(
            package, options.bitfile, options.batch_size, options.timeout, options.lock_file
        ) as accelerator:
            result = options.run(accelerator, options)
    except DriverError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT if isinstance(error, InputError) else FAILED
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return FAILED
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # whatever the terminal's encoding
    try:
        if options.json:
            print(json.dumps(result, indent=2))
        else:
            options.show(result)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if result.get("ok", True) else FAILED


SECONDS_BETWEEN_LINES = 10.0


class _Progress:
    """Says how many images are done and how long the others will take: in place on a terminal, else now and then."""

    def __init__(self) -> None:
        self.started = self.last = time.monotonic()

    def __call__(self, done: int, count: int) -> None:
        now, terminal = time.monotonic(), sys.stderr.isatty()
        if not terminal and (now - self.last < SECONDS_BETWEEN_LINES or done == count):
            return
        self.last = now
        left = f", about {(now - self.started) * (count - done) / done:.0f} s left" if 0 < done < count else ""
        line = f"{done} of {count} images{left}"
        # On a terminal each line covers the one before, to its end.
        start, end = ("\r", "\x1b[K" + ("\n" if done == count else "")) if terminal else ("", "\n")
        print(start + line, end=end, file=sys.stderr, flush=True)


def _classify(accelerator: Accelerator, options: argparse.Namespace) -> dict[str, Any]:
    data = read_images(options.images, accelerator.manifest.preprocessing)
    if accelerator.manifest.values is not None:
        return {
            "images": [
                {"name": name, "values": row.tolist()}
                for name, row in zip(data.names, accelerator.values(data.images, _Progress()), strict=True)
            ],
            "frames_per_second": len(data.names) / accelerator.timing.total,
            "shares": shares(accelerator.timing),
        }
    labels = accelerator.classify(data.images, _Progress())
    names = accelerator.manifest.class_names
    return {
        "images": [
            {"name": name, "classes": [int(label) for label in row], "class_names": [names[label] for label in row]}
            for name, row in zip(data.names, labels, strict=True)
        ],
        "frames_per_second": len(labels) / accelerator.timing.total,
        "shares": shares(accelerator.timing),
    }


def _show_classes(result: dict[str, Any]) -> None:
    for image in result["images"]:
        print(f"{image['name']}: {', '.join(image['class_names']) if 'class_names' in image else image['values']}")


def _benchmark(accelerator: Accelerator, options: argparse.Namespace) -> dict[str, Any]:
    largest = accelerator.batch_size
    batches = options.batches or sorted({1, min(16, largest), largest})

    def report(line: str) -> None:
        print(line, file=sys.stderr)

    return benchmark(accelerator, batches, options.frames, options.latency_frames, report)


def _show_benchmark(result: dict[str, Any]) -> None:
    print("batch   frames/s   DMA wait   preprocess   pack   unpack   other")
    for row in result["throughput"]:
        share = {name: f"{100 * part:.1f} %" for name, part in row["shares"].items()}
        print(
            f"{row['batch']:5d} {row['frames_per_second']:10,.0f} {share['dma_wait']:>10} {share['preprocess']:>12} "
            f"{share['pack']:>6} {share['unpack']:>8} {share['other']:>7}"
        )
    latency, expected = result["latency_ms"], result["expected"]
    print(f"single image: median {latency['median']:.3f} ms, 99th percentile {latency['p99']:.3f} ms")
    print(f"expected of the hardware: {expected['frames_per_second']:,.0f} frames/s at {expected['clock_mhz']:g} MHz")
    for rail, power in (result["mean_power_w"] or {"power": None}).items():
        print(f"{rail}: {'not measured on this board' if power is None else f'{power:.3f} W'}")


def _validate(accelerator: Accelerator, options: argparse.Namespace) -> dict[str, Any]:
    if options.data is None:
        if options.expect is not None:
            raise InputError("--expect goes with --data")
        return validate_samples(accelerator, _Progress())
    return validate_data(accelerator, options.data, options.expect, _Progress())


def _show_validation(result: dict[str, Any]) -> None:
    for mismatch in result.get("mismatches", []):
        print(f"{mismatch['file']}: {mismatch['found']} instead of {mismatch['expected']}")
    known = result["accuracy"] is not None and result["expected_accuracy"] is not None
    if known:
        print(f"accuracy {100 * result['accuracy']:.2f} %, expected {100 * result['expected_accuracy']:.2f} %")
    profile = f", profile {result['profile']}" if result.get("profile") else ""
    print(f"{'passed' if result['ok'] else 'FAILED'}: {result['images']} images{profile}")


def _serve(accelerator: Accelerator, options: argparse.Namespace) -> dict[str, Any]:
    return serve(accelerator, options.host, options.port)


def _show_served(result: dict[str, Any]) -> None:
    print(f"{result['images']} pictures were classified")


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    common.add_argument("--bitfile", type=Path, help="another bitfile than bitfile/finn-accel.bit")
    common.add_argument("--batch-size", type=int, metavar="N", help="most frames of one DMA transfer")
    common.add_argument("--timeout", type=float, default=10.0, metavar="S", help="seconds a transfer may take (10)")
    common.add_argument("--lock-file", type=Path, default=LOCK_FILE, metavar="F", help=f"another lock than {LOCK_FILE}")
    parser = argparse.ArgumentParser(prog="python3 -m driver", description="Run the accelerator on this board.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    classify = commands.add_parser("classify", parents=[common], help="classify images, or give their values")
    classify.add_argument("images", nargs="+", type=Path, help="image files, folders, .zip, .npy or .npz files")
    classify.set_defaults(run=_classify, show=_show_classes)
    bench = commands.add_parser("benchmark", parents=[common], help="measure throughput, latency and power")
    bench.add_argument("--batches", type=_numbers, metavar="N,N", help="batch sizes to measure")
    bench.add_argument("--frames", type=_positive, default=4096, metavar="N", help="frames for each batch size (4096)")
    bench.add_argument("--latency-frames", type=_positive, default=100, metavar="N", help="single images to time (100)")
    bench.set_defaults(run=_benchmark, show=_show_benchmark)
    validate = commands.add_parser("validate", parents=[common], help="check results against what is expected")
    validate.add_argument("--data", type=Path, help=".npz with images and labels, or a folder with a folder per class")
    validate.add_argument("--expect", type=float, metavar="A", help="accuracy to expect on --data, 0 to 1")
    validate.set_defaults(run=_validate, show=_show_validation)
    add_commands(commands, common)
    live = commands.add_parser("serve", parents=[common], help="a page on which one drops pictures")
    live.add_argument("--host", default=LOCAL_HOST, metavar="H", help=f"where to listen ({LOCAL_HOST}: here only)")
    live.add_argument("--port", type=_positive, default=DEFAULT_PORT, metavar="N", help=f"its port ({DEFAULT_PORT})")
    live.set_defaults(run=_serve, show=_show_served)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return number


def _numbers(text: str) -> list[int]:
    return [_positive(part) for part in text.split(",")]
