"""Network configs that cover the corners of what is valid, for tests of the models and of everything after them."""

from brevitas_models.config import NetworkConfig

MATRIX = {
    "one block": {"in_channels": 1, "image_size": [8, 8], "channels": [4], "iterations": [2]},
    "non-square": {
        "in_channels": 3,
        "image_size": [12, 20],
        "channels": [6, 10],
        "iterations": [3, 5],
        "num_classes": 7,
    },
    "four blocks, low bits": {
        "in_channels": 2,
        "image_size": [9, 13],
        "channels": [3, 5, 7, 9],
        "iterations": [2, 3, 2, 2],
        "convolution": "dense",
        "time": "none",
        "batch_norm": "shared",
        "weight_bits": 2,
        "activation_bits": 2,
        "state_bits": 4,
    },
    "large, high bits": {
        "in_channels": 1,
        "image_size": [64, 48],
        "channels": [3],
        "iterations": [2],
        "batch_norm": "shared",
        "weight_bits": 8,
        "activation_bits": 8,
        "state_bits": 12,
    },
}


def case(name: str) -> NetworkConfig:
    """One entry of `MATRIX` as a config."""
    return NetworkConfig(**MATRIX[name])
