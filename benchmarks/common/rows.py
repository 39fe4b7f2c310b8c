"""What the shipped build configurations are to reach, on which network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from brevitas_models.config import NetworkConfig, preset

BUILD_CONFIGS = Path(__file__).parents[2] / "build_configs"


@dataclass(frozen=True)
class Row:
    """A network, the build configuration for it, and the most that it may take.

    Parameters
    ----------
    name
        For people.
    network
        Untrained.
    config
        In build_configs/, without .json.
    cycles
        Per frame.
    luts, dsps
        Of the whole netlist, by open synthesis, or as estimated where the configuration stops there.
    latency_cycles
        Of a frame that goes through alone; None for no target.
    """

    name: str
    network: NetworkConfig
    config: str
    cycles: int
    luts: int
    dsps: int
    latency_cycles: int | None

    @property
    def path(self) -> Path:
        """The build configuration."""
        return BUILD_CONFIGS / f"{self.config}.json"


_BASE, _SMALL = preset("dsodenet-base"), preset("dsodenet-small")
_LARGE = NetworkConfig(in_channels=3, image_size=[96, 96], channels=[32, 64, 128], iterations=[6, 6, 6])

ROWS = (
    Row("base", _BASE, "zcu104_base", 6144, 50_000, 700, 20_300),
    Row("base, fast", _BASE, "zcu104_base_fast", 3072, 110_000, 1300, 12_000),
    Row("small", _SMALL, "zcu104_small", 4704, 45_000, 650, 15_600),
    Row("small, fast", _SMALL, "zcu104_small_fast", 2352, 100_000, 1300, 9_500),
    Row("96x96 RGB", _LARGE, "zcu104_96x96", 55_296, 140_000, 1500, None),
)
