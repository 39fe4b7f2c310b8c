"""Profiles: written at once or not at all, and refused when they are not what they should be."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finn_flow.deployment.driver.errors import InputError
from finn_flow.deployment.driver.network import Network
from finn_flow.deployment.driver.profiles import IN_USE, Profile, Profiles, checked_name
from finn_flow.deployment.driver.statistics import built_in
from tests.finn_flow.deployment.adaptive import adaptive

BUILD = 0x1234ABCD


@pytest.fixture(scope="module")
def network() -> Network:
    return adaptive().network


@pytest.fixture
def profile(network: Network) -> Profile:
    return Profile(BUILD, 24, built_in(network), network.built_in(), {"after": {"margin": 0.5}})


def test_what_is_saved_is_loaded(network: Network, profile: Profile, tmp_path: Path) -> None:
    profiles = Profiles(tmp_path, BUILD)
    assert profiles.names() == [] and profiles.in_use is None
    profiles.save("indoor.profile", profile)
    profiles.use("indoor")
    found = profiles.load("indoor", network)
    assert (found.build_id, found.images, found.scores) == (BUILD, 24, profile.scores)
    for part in ("statistics", "parameters"):
        for name, arrays in getattr(profile, part).items():
            assert all(map(np.array_equal, getattr(found, part)[name], arrays))
    assert profiles.names() == ["indoor"] and profiles.in_use == "indoor"
    profiles.use(None)
    assert profiles.in_use is None and profiles.names() == ["indoor"]


class Killed(BaseException):
    """The process ends here."""


def calls(monkeypatch: pytest.MonkeyPatch, ends_at: int, action: Callable[[], None]) -> int:
    """Run `action` so that it ends before system call number `ends_at` on files; returns how many there were."""
    count = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            if count == ends_at:
                raise Killed
            count += 1
            return function(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(Path, "open", counted(Path.open))
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "mkdir", counted(Path.mkdir))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        with suppress(Killed):
            action()
    return count


def test_power_fails_at_every_write(
    network: Network, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = replace(profile, images=99)
    ends = 0
    while True:
        folder = tmp_path / str(ends)
        folder.mkdir()
        profiles = Profiles(folder, BUILD)
        profiles.save("indoor", profile)
        profiles.use("indoor")

        def change(profiles: Profiles = profiles) -> None:
            profiles.save("indoor", new)
            profiles.save("outdoor", new)
            profiles.use("outdoor")
            profiles.use(None)

        done = calls(monkeypatch, ends, change)
        # What a new process finds: each file is the old one or the new one.
        after = Profiles(folder, BUILD)
        assert after.load("indoor", network).images in (24, 99)
        assert set(after.names()) <= {"indoor", "outdoor"}
        assert after.in_use in ("indoor", "outdoor", None)
        if after.in_use is not None:
            after.load(after.in_use, network)
        after.save("outdoor", profile)  # the rest of a write that was cut off is in nobody's way
        assert after.load("outdoor", network).images == 24
        if done < ends:
            break
        ends += 1
    assert ends > 10


def test_refusals(network: Network, profile: Profile, tmp_path: Path) -> None:
    profiles = Profiles(tmp_path, BUILD)
    path = profiles.save("indoor", profile)
    with pytest.raises(InputError, match="there is no profile attic; there are: indoor"):
        profiles.load("attic", network)
    with pytest.raises(InputError, match="profile indoor belongs to build 1234abcd, not to this one, 00000001; adapt"):
        Profiles(tmp_path, 1).load("indoor", network)
    content = path.read_bytes()
    for damaged in (content[:-1], content[:200] + bytes([content[200] ^ 1]) + content[201:], b""):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"profile indoor is damaged \(its checksum does not fit its content\)"):
            profiles.load("indoor", network)
    too_large = {name: (a + (1 << 30), b) for name, (a, b) in profile.parameters.items()}
    profiles.save("indoor", replace(profile, parameters=too_large))
    with pytest.raises(InputError, match="profile indoor does not fit this accelerator; adapt again"):
        profiles.load("indoor", network)
    for name in ("", "../indoor", "a b", ".x", "a" * 65):
        with pytest.raises(InputError, match="a profile's name has 1 to 64 letters"):
            checked_name(name)
    (tmp_path / "profiles" / IN_USE).write_text("../../etc\n")
    with pytest.raises(InputError, match="a profile's name has"):
        _ = profiles.in_use
