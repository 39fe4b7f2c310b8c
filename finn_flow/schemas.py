"""JSON Schemas of everything that users write, for editors: `python -m finn_flow.schemas` writes them anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finn_flow.configurations import SHIPPED
from finn_flow.files import atomic_write_json

FOLDER = SHIPPED / "schema"
SUFFIX = ".schema.json"


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas of networks, trainings, builds (FINN's own configuration) and design spaces."""
    from finn_flow.finn_adapter.environment import ensure_finn

    ensure_finn()
    from finn.builder.build_dataflow_config import DataflowBuildConfig
    from mashumaro.jsonschema import build_json_schema

    from brevitas_models.config import PRESETS, NetworkConfig
    from brevitas_models.training.config import TrainingConfig
    from finn_flow.explore.space import Space

    training = TrainingConfig.model_json_schema()
    # A preset's name is a network, too.
    training["properties"]["network"] = {"anyOf": [training["properties"]["network"], {"enum": list(PRESETS)}]}
    return {
        "network": NetworkConfig.model_json_schema(),
        "train": training,
        "space": Space.model_json_schema(),
        "build": build_json_schema(DataflowBuildConfig).to_dict(),
    }


def write(folder: Path = FOLDER) -> None:
    """Write the schemas."""
    for name, schema in schemas().items():
        atomic_write_json(folder / f"{name}{SUFFIX}", schema)


if __name__ == "__main__":
    write()
