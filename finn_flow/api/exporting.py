"""`export`: a network as a QONNX graph with golden inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finn_flow.api.result import Result
from finn_flow.api.training import Training
from finn_flow.errors import UserError
from finn_flow.tables import Table

DEFAULT_SAMPLES = 32


@dataclass(frozen=True)
class ExportedModel(Result):
    """A QONNX graph that equals Brevitas bit for bit on its golden inputs.

    Parameters
    ----------
    path
        The `.onnx` file; `golden.npz` and `golden.json` are beside it.
    samples
        Number of golden inputs.
    right
        How many of them are classified rightly; None where the classes are not known.
    """

    path: Path
    samples: int
    right: int | None

    def tables(self) -> tuple[Table, ...]:
        """Return no table."""
        return ()

    def lines(self) -> tuple[str, ...]:
        """Return what was compared."""
        exact = f"{self.path}: equal to Brevitas, bit for bit, on {self.samples} golden inputs"
        return (exact,) if self.right is None else (exact, f"{self.right} of {self.samples} classified rightly")

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {"model": str(self.path), "samples": self.samples, "bit_exact": True, "right": self.right}


def export(
    source: Training | str | Path | None,
    out: str | Path,
    *,
    samples: int = DEFAULT_SAMPLES,
    untrained: str | None = None,
    seed: int = 0,
) -> ExportedModel:
    """Export a network to QONNX; nothing is written unless the graph gives Brevitas's logits bit for bit.

    Parameters
    ----------
    source
        A training, its folder, a checkpoint, `zoo:NAME`, or None with `untrained`.
    out
        The `.onnx` file to write.
    samples
        Number of golden inputs: the first test images of the training's target, or random images.
    untrained
        A network configuration or preset, of which a calibrated random network is exported.
    seed
        Of the random network.

    Raises
    ------
    UserError
        Neither or both of `source` and `untrained`, another suffix, no such checkpoint, images that are not there.
    FlowError
        Graph and Brevitas differ.
    """
    from finn_flow.files import check_writable_dir

    out = Path(out)
    if (source is None) == (untrained is None):
        raise UserError("name either a training's folder (or checkpoint, or zoo:NAME) or --untrained CONFIG")
    if out.suffix != ".onnx":
        raise UserError(f"--out must be a file name that ends in .onnx, not {out}")
    from finn_flow.export.sources import trained_source, untrained_source

    if source is not None:
        chosen = trained_source(source.folder if isinstance(source, Training) else Path(source), samples)
    else:
        chosen = untrained_source(str(untrained), seed, samples)
    check_writable_dir(out.parent)
    golden = chosen.export(out)
    right = None if golden.labels is None else int((golden.logits.argmax(axis=1) == golden.labels).sum())
    return ExportedModel(out, len(golden.inputs), right)
