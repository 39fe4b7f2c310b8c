"""The driver's files: its own, and the compiler's arithmetic that it shares, under names of the driver's package."""

from __future__ import annotations

from pathlib import Path

import custom_ops
from finn_flow.errors import FlowError

DRIVER = Path(__file__).parent / "driver"
SHARED = {
    "channel_affine": "channel_affine.reference",
    "lookup": "lookup.reference",
    "ode_update": "ode_update.reference",
    "coefficients": "requantisation.coefficients",
    "normalisation": "requantisation.normalisation",
    "requantise": "requantisation.reference",
    "steps": "requantisation.steps",
    "top_k": "top_k.reference",
}
"""Modules of `custom_ops` by their name in the driver. They need NumPy only."""


def write_driver(folder: Path) -> None:
    """Write the driver's sources into `folder`.

    Raises
    ------
    FlowError
        Two files of one name, or something else of `custom_ops` is imported.
    """
    sources = {path.stem: path for path in DRIVER.glob("*.py")}
    root = Path(custom_ops.__file__).parent
    shared = {name: root / f"{module.replace('.', '/')}.py" for name, module in SHARED.items()}
    if sources.keys() & shared.keys():
        raise FlowError(f"the driver has two files called {', '.join(sources.keys() & shared.keys())}")
    for name, path in {**sources, **shared}.items():
        text = path.read_text()
        for local, module in SHARED.items():
            text = text.replace(f"from custom_ops.{module} import", f"from .{local} import")
        if "from custom_ops" in text or "import custom_ops" in text:
            raise FlowError(f"{path} imports something of custom_ops that the driver does not have")
        (folder / f"{name}.py").write_text(text)
