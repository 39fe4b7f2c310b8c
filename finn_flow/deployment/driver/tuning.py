"""The parameters of an accelerator that adapts: which profile is in use, in the files and in the hardware."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import HardwareError
from .manifest import Manifest
from .network import FILE, Network, Parameters
from .parameters import ParameterPort
from .profiles import Profile, Profiles
from .statistics import Statistics, built_in

Advance = Callable[[int, int], None]


class Tuning:
    """Keeps hardware, profiles and the network in NumPy in step. The profile in use is written to the hardware at once.

    Parameters
    ----------
    manifest
        Of the package.
    registers
        Gives the registers of the parameter port; called again after the bitfile was loaded again.
    timeout_s
        How long frames that are inside may take to leave.

    Attributes
    ----------
    network
        The accelerator's arithmetic in NumPy.
    profiles
        Of the package.

    Raises
    ------
    InputError
        The profile in use is damaged, or of another build.
    HardwareError
        It could not be written.
    """

    def __init__(self, manifest: Manifest, registers: Callable[[], Any], timeout_s: float) -> None:
        self.network = Network.load(manifest.folder / FILE)
        self.build_id = manifest.build_id
        self.profiles = Profiles(manifest.folder, manifest.build_id)
        self._registers, self._timeout_s = registers, timeout_s
        self._profile: Profile | None = None
        name = self.profiles.in_use
        if name is not None:
            self._profile = self.profiles.load(name, self.network)
        self.restore()

    @property
    def parameters(self) -> Parameters:
        """Those in use."""
        return self.network.built_in() if self._profile is None else self._profile.parameters

    @property
    def statistics(self) -> Statistics:
        """Those in use."""
        return built_in(self.network) if self._profile is None else self._profile.statistics

    def restore(self) -> None:
        """Write what is in use to the hardware, which starts with the built-in parameters."""
        if self._profile is not None:
            self.port().load(self._profile.parameters)

    def take(self, profile: Profile, progress: Advance | None = None) -> None:
        """Write a profile to the hardware and take it into use there; files stay as they are."""
        self.port().load(profile.parameters, progress)
        self._profile = profile

    def put_back(self, profile: Profile | None) -> None:
        """Take a profile, or the built-in parameters, into use in the hardware again."""
        if profile is None:
            self.port().reset()
            self._profile = None
        else:
            self.take(profile)

    @property
    def profile(self) -> Profile | None:
        """The one in use; None for the built-in parameters."""
        return self._profile

    def use(self, name: str) -> None:
        """Take a saved profile into use, now and after the next start."""
        self.take(self.profiles.load(name, self.network))
        self.profiles.use(name)

    def reset(self) -> None:
        """Take the built-in parameters into use, now and after the next start."""
        self.profiles.use(None)
        self.put_back(None)

    def port(self) -> ParameterPort:
        """Return the parameter port.

        Raises
        ------
        BitfileError
            The hardware has none.
        """
        return ParameterPort(self._registers(), self.network, self._timeout_s)

    def check(self) -> None:
        """Make sure that the hardware holds what is in use.

        Raises
        ------
        HardwareError
            It does not.
        """
        port = self.port()
        found, expected = port.read(port.bank), self.parameters
        for name, (multiplier, offset) in expected.items():
            if (found[name][0] != multiplier).any() or (found[name][1] != offset).any():
                raise HardwareError(
                    f"the accelerator's parameters of {name} are not those in use; load the bitfile again"
                )
