"""Speed of training on this computer: `python -m benchmarks.training [--json] [--threads N] [CONFIG|PRESET ...]`.

Images per second of whole steps (forward, backward, AdamW) of the float network and of the quantised one on random
images, in turns, so that both see the same other load; and by how much quantisation-aware training is slower. The time
is processor time per thread, which other programs on the computer disturb least.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional

from brevitas_models.calibration import calibrate_quantisers
from brevitas_models.config import NetworkConfig, load_network_config
from brevitas_models.networks import ODENet, float_network, quantized_network

NETWORKS = ("dsodenet-small", "build_configs/train/quick.json")
BATCH, STEPS, ROUNDS = 64, 2, 5
LARGEST_RATIO = 2.5


@dataclass(frozen=True)
class TrainingSpeed:
    """Images per second of both kinds of training, per thread."""

    network: str
    float_images_per_second: float
    quantised_images_per_second: float

    @property
    def ratio(self) -> float:
        """How many times longer quantised training takes."""
        return self.float_images_per_second / self.quantised_images_per_second


def step_of(network: ODENet, config: NetworkConfig) -> Callable[[], None]:
    """Return a function that trains one step on random images."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(BATCH, config.in_channels, *config.image_size, generator=generator)
    labels = torch.randint(0, config.num_classes, (BATCH,), generator=generator)
    if any(name.endswith("scaling_impl.value") for name, _ in network.named_parameters()):
        calibrate_quantisers(network, [images])
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    network.train()

    def step() -> None:
        loss = functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def seconds(step: Callable[[], None]) -> float:
    """Processor time of `STEPS` steps, per thread."""
    started = time.process_time()
    for _ in range(STEPS):
        step()
    return (time.process_time() - started) / torch.get_num_threads()


def measure(name: str) -> TrainingSpeed:
    """Measure one network; the fastest of `ROUNDS` rounds counts."""
    config = load_network_config(name)
    torch.manual_seed(0)
    steps = [step_of(network, config) for network in (float_network(config), quantized_network(config))]
    for step in steps:
        step()
    rounds = [[seconds(step) for step in steps] for _ in range(ROUNDS)]
    rates = [STEPS * BATCH / min(times) for times in zip(*rounds, strict=True)]
    return TrainingSpeed(name, *rates)


def main() -> None:
    """Print the figures, and whether the ratio is within its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="CONFIG|PRESET")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = [measure(name) for name in arguments.networks]
    if arguments.json:
        print(json.dumps({"threads": arguments.threads, "networks": [asdict(f) | {"ratio": f.ratio} for f in found]}))
        return
    table = Table("network", title=f"Training, images/s per thread, batch {BATCH}, {arguments.threads} thread(s)")
    for heading in ("float", "quantised", "times slower", f"at most {LARGEST_RATIO}"):
        table.add_column(heading, justify="right")
    for speed in found:
        rates = (speed.float_images_per_second, speed.quantised_images_per_second)
        verdict = "yes" if speed.ratio <= LARGEST_RATIO else "no"
        table.add_row(speed.network, *(f"{rate:,.0f}" for rate in rates), f"{speed.ratio:.2f}", verdict)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
