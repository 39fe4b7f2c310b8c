"""Adapting on the host, with the very code that does it on the board."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

from finn_flow.build_folder import BuildFolder
from finn_flow.deployment.driver.adaptation import Adaptation, adapt, chosen
from finn_flow.deployment.driver.images import read_images
from finn_flow.deployment.driver.manifest import Manifest
from finn_flow.deployment.driver.network import FILE, Network
from finn_flow.deployment.driver.profiles import Profile, Profiles
from finn_flow.deployment.driver.statistics import built_in
from finn_flow.errors import UserError
from finn_flow.files import atomic_path
from finn_flow.model_file import load_model
from finn_flow.progress import Progress
from finn_flow.transformations.exchange_statistics import ExchangeStatistics


@dataclass(frozen=True)
class AdaptedBuild:
    """A profile that was made.

    Parameters
    ----------
    profile
        Its file.
    """

    profile: Path
    adaptation: Adaptation
    network: Network

    def write_model(self, model: Path, new_model: Path) -> None:
        """Write the exported model with the new statistics.

        Raises
        ------
        UserError
            The build was made of another model.
        """
        old, new = built_in(self.network), self.adaptation.estimate.statistics
        changed, _ = ExchangeStatistics(old, new).apply(copy.deepcopy(load_model(model)))
        with atomic_path(new_model) as temporary:
            changed.save(str(temporary))


def adapt_build(
    build: Path, images: list[Path], most: int, share: float | None, name: str, force: bool, progress: Progress
) -> AdaptedBuild:
    """Make a profile in `build`/deploy/profiles from pictures.

    Parameters
    ----------
    images
        As the driver's `classify` takes them.
    most
        At most so many pictures are used, evenly chosen.
    share
        Of the new statistics; None for the default.

    Raises
    ------
    UserError
        The pictures make things worse and `force` is not given.
    DriverError
        No package, or not of an accelerator that adapts; pictures that cannot be read or say nothing.
    """
    package = BuildFolder(build).package
    manifest, network = Manifest.load(package), Network.load(package / FILE)
    codes = manifest.preprocessing.apply(read_images(images, manifest.preprocessing).images)
    codes = codes[chosen(len(codes), most)]
    progress(f"adapting to {len(codes)} pictures")
    found = adapt(network, codes, built_in(network), network.built_in(), share)
    if found.objection is not None and not force:
        raise UserError(f"{found.objection}; nothing is changed; --force adapts all the same")
    estimate = found.estimate
    profile = Profile(manifest.build_id, found.images, estimate.statistics, estimate.parameters, found.to_json())
    return AdaptedBuild(Profiles(package, manifest.build_id).save(name, profile), found, network)
