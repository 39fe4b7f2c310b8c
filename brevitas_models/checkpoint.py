"""Checkpoints: what is written, and how a file that is damaged or something else is told apart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from brevitas_models.config import NetworkConfig, parse_config
from brevitas_models.exactness import check_finite_state
from brevitas_models.networks import ODENet, quantized_network
from finn_flow.errors import UserError
from finn_flow.files import atomic_write_bytes

CHECKPOINT_FILE = "checkpoint.pt"
KIND = "dsode-network"
VERSION = 1


def write_file(path: Path, kind: str, content: dict[str, Any]) -> None:
    """Write `content` (tensors and plain values) to `path` in one step, marked as `kind`."""
    buffer = io.BytesIO()
    torch.save({"kind": kind, "version": VERSION, **content}, buffer)
    atomic_write_bytes(path, buffer.getvalue())


def read_file(path: Path, kind: str, keys: dict[str, type | tuple[type, ...]], advice: str) -> dict[str, Any]:
    """Read what `write_file` wrote, without running any code that the file may hold.

    Parameters
    ----------
    keys
        The content's keys and their types.
    advice
        Ends the error messages: what to do when the file is no good.

    Raises
    ------
    UserError
        No such file, truncated, not a file of `kind`, a later version, or a key that is missing or wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; {advice}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # with damaged archives PyTorch raises whatever its reader trips over; no code of the file runs
        raise UserError(f"{path}: truncated, or not a file of this program; {advice}") from None
    if not isinstance(content, dict) or content.get("kind") != kind:
        raise UserError(f"{path}: a PyTorch file, but not a {kind} file; {advice}")
    if content.get("version") != VERSION:
        raise UserError(f"{path}: has version {content.get('version')!r}, not {VERSION}; {advice}")
    for key, types in keys.items():
        if not isinstance(content.get(key), types):
            raise UserError(f"{path}: its `{key}` is missing or damaged; {advice}")
    return content


def save_checkpoint(path: Path, network: ODENet, class_names: tuple[str, ...], details: dict[str, Any]) -> None:
    """Write a trained quantised network.

    Parameters
    ----------
    class_names
        One per logit.
    details
        Plain values for whoever reads the file: metrics, the training's config.
    """
    state = {name: value.cpu() for name, value in network.state_dict().items()}
    content = {"network": network.config.model_dump(), "state": state, "class_names": list(class_names)}
    write_file(path, KIND, {**content, "details": details})


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint; `path` may be the folder of a training.

    Raises
    ------
    UserError
        As `read_file`.
    """
    path = Path(path)
    if path.is_dir():
        path = path / CHECKPOINT_FILE
    keys: dict[str, type | tuple[type, ...]] = {"network": dict, "state": dict, "class_names": list, "details": dict}
    return read_file(path, KIND, keys, "use the checkpoint.pt (or the folder) of a finished `dsode train`")


def load_checkpoint(path: Path) -> tuple[NetworkConfig, ODENet]:
    """Return the config and the quantised network, in eval mode, of a checkpoint or of a training's folder.

    Raises
    ------
    UserError
        As `read_file`, or the weights do not fit the network that the checkpoint describes, or are not finite.
    """
    content = read_checkpoint(path)
    config: NetworkConfig = parse_config(NetworkConfig, content["network"], str(path))
    network = quantized_network(config)
    load_state(network, content["state"], str(path))
    return config, network.eval()


def load_state(network: ODENet, state: dict[str, Tensor], where: str) -> None:
    """Load all of a network's parameters and buffers; a `UserError` names the first that does not fit, or is NaN."""
    # Brevitas leaves scales that are not learned yet out of the state dict, but takes them from one.
    own = {**network.state_dict(), **dict(network.named_parameters())}
    wrong = [
        name
        for name in {**own, **state}
        if name not in own or not isinstance(state.get(name), Tensor) or state[name].shape != own[name].shape
    ]
    if wrong:
        raise UserError(f"{where}: {len(wrong)} weights do not fit the network, the first is {wrong[0]}")
    check_finite_state(state, where)
    network.load_state_dict(state)
