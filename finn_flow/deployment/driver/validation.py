"""Whether the accelerator gives exactly what it should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .accelerator import Accelerator, Advance
from .errors import InputError
from .files import inner_name
from .images import read_images, read_labelled
from .manifest import SAMPLES


def validate_samples(accelerator: Accelerator, progress: Advance | None = None) -> dict[str, Any]:
    """Check the package's files, and classify its sample images: every integer must be as expected.

    Parameters that can be written are read back; with a profile in use the expected integers are NumPy's.

    Returns
    -------
    dict[str, Any]
        The number of files and images, the images that differ, and the accuracy where classes are known; `ok`.

    Raises
    ------
    InputError
        A file of the package is missing or has changed.
    HardwareError
        As `Accelerator.classify`.
    """
    manifest = accelerator.manifest
    files = manifest.check_files()
    path = manifest.folder / SAMPLES
    try:
        samples = json.loads(path.read_text(encoding="utf-8"))["samples"]
        expected = np.array([sample["expected"] for sample in samples], np.int64)
        names = [inner_name(sample["file"]) for sample in samples]
        truth = [sample["class"] for sample in samples]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{path} cannot be read ({error!r}); copy the package again") from None
    images = read_images([path.parent / name for name in names]).images
    profile = None
    if manifest.parameters is not None:
        tuning = accelerator.tuning
        tuning.check()
        profile = tuning.profiles.in_use
        if profile is not None:  # what is expected then comes from the same arithmetic in NumPy
            expected = tuning.network.run(manifest.preprocessing.apply(images), tuning.parameters)[0]
    found = accelerator.classify(images, progress)
    differing = np.flatnonzero((found != expected).any(axis=1))
    return {
        "ok": not len(differing),
        "files_checked": files,
        "profile": profile,
        "images": len(names),
        "mismatches": [
            {"file": names[i], "expected": expected[i].tolist(), "found": found[i].tolist()} for i in differing
        ],
        "accuracy": None if None in truth else float(np.mean(found[:, 0] == np.array(truth))),
        "expected_accuracy": manifest.sample_accuracy,
    }


def validate_data(
    accelerator: Accelerator, path: Path, expected: float | None, progress: Advance | None = None
) -> dict[str, Any]:
    """Classify a labelled data set and compare the accuracy with what is expected of the network.

    The accelerator computes exactly what the trained network does, so on the same images the accuracy is the same, to
    the last image.

    Parameters
    ----------
    path
        As `read_labelled`.
    expected
        Accuracy, 0 to 1; the package's own if None, where it has one.

    Raises
    ------
    InputError
        The data set cannot be read, or nothing says what to expect.
    HardwareError
        As `Accelerator.classify`.
    """
    manifest = accelerator.manifest
    if manifest.values is not None:
        raise InputError("this network gives values, not classes: only its samples can be validated, without --data")
    expected = manifest.accuracy if expected is None else expected
    if expected is None:
        raise InputError("the package does not know the network's accuracy; say what to expect: --expect 0.95")
    data = read_labelled(path, manifest.class_names, manifest.preprocessing)
    found = accelerator.classify(data.images, progress)[:, 0]
    right = int(np.sum(found == np.array(data.labels)))
    wanted = round(expected * len(found))
    return {
        "ok": right >= wanted,
        "images": len(found),
        "right": right,
        "accuracy": right / len(found),
        "expected_accuracy": expected,
    }
