"""The commands `adapt`, `watch`, `profiles`, `use` and `reset`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .accelerator import Accelerator, Advance
from .errors import HardwareError, InputError
from .files import printable
from .images import read_images
from .profiles import Profile, checked_name

DEFAULT_NAME = "adapted"
WATCH_MOMENTUM = 0.3


def adapt_command(accelerator: Accelerator, options: argparse.Namespace, progress: Advance) -> dict[str, Any]:
    """Adapt to pictures: estimate, judge, write, check, save and take into use.

    Raises
    ------
    InputError
        The pictures say nothing, or make things worse and `--force` is not given; nothing is changed then.
    HardwareError
        Hardware and NumPy differ; what was in use before is in use again.
    """
    from .adaptation import adapt, chosen

    tuning = accelerator.tuning
    name = checked_name(options.save or DEFAULT_NAME)
    codes = _codes(accelerator, options.images_or_folders)
    codes = codes[chosen(len(codes), options.images)]
    found = adapt(tuning.network, codes, tuning.statistics, tuning.parameters, options.momentum, progress)
    if found.objection is not None and not options.force:
        raise InputError(f"{found.objection}; nothing is changed; --force adapts all the same")
    estimate = found.estimate
    profile = Profile(tuning.build_id, found.images, estimate.statistics, estimate.parameters, found.to_json())
    before = tuning.profile
    tuning.take(profile, progress)
    labels = accelerator.classify(codes)
    different = int((labels != estimate.labels).any(axis=1).sum())
    if different:
        tuning.put_back(before)
        raise HardwareError(
            f"the accelerator classifies {different} of {len(codes)} pictures otherwise than NumPy; nothing is changed"
        )
    path = tuning.profiles.save(name, profile)
    tuning.profiles.use(name)
    return {"ok": True, "profile": name, "file": str(path), **found.to_json()}


def watch_command(accelerator: Accelerator, options: argparse.Namespace, progress: Advance) -> dict[str, Any]:
    """Classify pictures in batches, and follow their statistics batch by batch, with the guards of `adapt`."""
    from .adaptation import follow

    tuning = accelerator.tuning
    codes = _codes(accelerator, options.images_or_folders)
    names = accelerator.manifest.class_names
    batches = []
    for start, part in _batches(codes, options.batch):
        labels = accelerator.classify(part)
        entry: dict[str, Any] = {"first": start, "images": len(part), "classes": [names[k] for k in labels[:, 0]]}
        try:
            found = follow(tuning.network, part, tuning.statistics, tuning.parameters, options.momentum)
            entry |= {"kept": found.objection is None or options.force, "objection": found.objection}
            if entry["kept"]:
                estimate = found.estimate
                scores = found.to_json()
                tuning.take(Profile(tuning.build_id, len(part), estimate.statistics, estimate.parameters, scores))
        except InputError as error:
            entry |= {"kept": False, "objection": str(error)}
        batches.append(entry)
        if not options.json:
            print(f"{start + len(part)} of {len(codes)}: {'kept' if entry['kept'] else entry['objection']}", flush=True)
    if options.save and tuning.profile is not None:
        name = checked_name(options.save)
        tuning.profiles.save(name, tuning.profile)
        tuning.profiles.use(name)
    return {"batches": batches}


def profiles_command(accelerator: Accelerator, options: argparse.Namespace, progress: Advance) -> dict[str, Any]:
    """List the profiles."""
    profiles = accelerator.tuning.profiles
    entries = []
    for name in profiles.names():
        try:
            profile = profiles.load(name, accelerator.tuning.network)
            entries.append({"name": name, "images": profile.images, "scores": profile.scores, "problem": None})
        except InputError as error:
            entries.append({"name": name, "images": None, "scores": None, "problem": str(error)})
    return {"in_use": profiles.in_use, "profiles": entries}


def use_command(accelerator: Accelerator, options: argparse.Namespace, progress: Advance) -> dict[str, Any]:
    """Take a profile into use."""
    accelerator.tuning.use(checked_name(options.name))
    return {"in_use": accelerator.tuning.profiles.in_use}


def reset_command(accelerator: Accelerator, options: argparse.Namespace, progress: Advance) -> dict[str, Any]:
    """Take the built-in parameters into use."""
    accelerator.tuning.reset()
    return {"in_use": None}


def show_adaptation(result: dict[str, Any]) -> None:
    """Print what `adapt` found."""
    before, after = result["before"], result["after"]
    print(f"{'':22}before   after")
    for name in ("entropy", "classes", "margin", "information"):
        print(f"{name:20}{before[name]:8.3f}{after[name]:8.3f}")
    print(f"adapted to {result['images']} pictures, checked in hardware; profile {result['profile']} is in use")


def show_watch(result: dict[str, Any]) -> None:
    """Print the end of `watch`."""
    kept = sum(bool(entry["kept"]) for entry in result["batches"])
    print(f"{kept} of {len(result['batches'])} batches changed the statistics")


def show_profiles(result: dict[str, Any]) -> None:
    """Print the list."""
    for entry in result["profiles"]:
        mark = "*" if entry["name"] == result["in_use"] else " "
        print(f"{mark} {entry['name']}: {entry['problem'] or str(entry['images']) + ' pictures'}")
    print(f"in use: {result['in_use'] or 'the built-in parameters'}")


def show_in_use(result: dict[str, Any]) -> None:
    """Print what is in use."""
    print(f"in use: {result['in_use'] or 'the built-in parameters'}")


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the driver's parser."""
    adapting = commands.add_parser(
        "adapt",
        parents=[common],
        help="adapt to new surroundings by pictures without labels",
        epilog="example: python3 -m driver adapt pictures/ --save indoor",
    )
    adapting.add_argument("images_or_folders", nargs="+", type=Path, metavar="FOLDER|FILE", help="as for classify")
    adapting.add_argument("--images", type=_positive, default=1024, metavar="N", help="use at most N pictures (1024)")
    adapting.add_argument("--momentum", type=_share, metavar="M", help="share of the new statistics, 0 to 1 (N/(N+16))")
    adapting.add_argument("--save", metavar="NAME", help=f"name of the profile ({DEFAULT_NAME})")
    adapting.add_argument("--force", action="store_true", help="adapt even if the scores get worse")
    adapting.set_defaults(run=_with(adapt_command), show=show_adaptation)
    watching = commands.add_parser("watch", parents=[common], help="classify pictures and follow their statistics")
    watching.add_argument("images_or_folders", nargs="+", type=Path, metavar="FOLDER|FILE", help="as for classify")
    watching.add_argument("--batch", type=_positive, default=64, metavar="N", help="pictures between two changes (64)")
    watching.add_argument(
        "--momentum", type=_share, default=WATCH_MOMENTUM, metavar="M", help="share of each batch (0.3)"
    )
    watching.add_argument("--save", metavar="NAME", help="save the last statistics as a profile")
    watching.add_argument("--force", action="store_true", help="follow even if the scores get worse")
    watching.set_defaults(run=_with(watch_command), show=show_watch)
    listing = commands.add_parser("profiles", parents=[common], help="list the profiles")
    listing.set_defaults(run=_with(profiles_command), show=show_profiles)
    using = commands.add_parser("use", parents=[common], help="take a profile into use")
    using.add_argument("name", help="of the profile")
    using.set_defaults(run=_with(use_command), show=show_in_use)
    resetting = commands.add_parser("reset", parents=[common], help="take the built-in parameters into use")
    resetting.set_defaults(run=_with(reset_command), show=show_in_use)


def _with(command: Any) -> Any:
    return lambda accelerator, options: command(accelerator, options, _progress)


def _progress(done: int, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {count}", end="\n" if done == count else "", file=sys.stderr, flush=True)


def _codes(accelerator: Accelerator, paths: list[Path]) -> np.ndarray:
    preprocessing = accelerator.manifest.preprocessing
    images = read_images(paths, preprocessing).images
    try:
        return preprocessing.apply(images)
    except ValueError as error:
        raise InputError(printable(str(error))) from None


def _batches(codes: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(codes), size):
        yield start, codes[start : start + size]


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most 1, not {text}")
    return number
