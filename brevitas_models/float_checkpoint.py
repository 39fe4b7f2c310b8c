"""The float network that a training passed through, kept beside its checkpoint to teach smaller networks."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from brevitas_models.checkpoint import load_state, read_file, write_file
from brevitas_models.config import NetworkConfig, parse_config
from brevitas_models.networks import ODENet, float_network

FLOAT_FILE = "float.pt"
KIND = "dsode-float-network"


def save_float_network(folder: Path, config: NetworkConfig, state: dict[str, Tensor]) -> None:
    """Write the state dict of an adapted float network into a training's folder."""
    content = {"network": config.model_dump(), "state": {name: value.cpu() for name, value in state.items()}}
    write_file(folder / FLOAT_FILE, KIND, content)


def load_float_network(path: Path) -> ODENet:
    """Return the float network, in eval mode, of a training's folder or of its `float.pt`.

    Raises
    ------
    UserError
        No such file, damaged, something else, or weights that do not fit the network it describes.
    """
    path = path / FLOAT_FILE if path.is_dir() else path
    content = read_file(path, KIND, {"network": dict, "state": dict}, "use the folder of a finished `dsode train`")
    network = float_network(parse_config(NetworkConfig, content["network"], str(path)))
    load_state(network, content["state"], str(path))
    return network.eval()
