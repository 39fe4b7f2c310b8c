"""Sample images of a package, and the integers that the accelerator must give for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from finn_flow.build_folder import GRAPH_FILE
from finn_flow.deployment.driver.preprocessing import INPUT_BITS, Preprocessing
from finn_flow.errors import UserError
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.netlist.netlist import Netlist
from finn_flow.simulation.golden import GoldenFrames, load_golden, random_golden

NOTES_SUFFIX = ".json"
RANDOM_SAMPLES = 16


@dataclass(frozen=True)
class Samples:
    """What a package says about the network and its sample images.

    Parameters
    ----------
    images
        uint8 [N, H, W, 1 or 3].
    expected
        Best classes, int64 [N, K], the best first; of a network that gives values, its integers [N, values].
    truth
        True classes [N], where they are known.
    preprocessing
        From any image to the network's input.
    class_names
        One per class; () of a network that gives values.
    accuracy
        Of the trained network on its test set, 0 to 1, where it is known.
    source
        Where the images are from.
    """

    images: NDArray[np.uint8]
    expected: NDArray[np.int64]
    truth: NDArray[np.int64] | None
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    accuracy: float | None
    source: str

    @property
    def sample_accuracy(self) -> float | None:
        """Share of the samples whose best class is the true one."""
        return None if self.truth is None else float(np.mean(self.expected[:, 0] == self.truth))

    def write(self, folder: Path) -> None:
        """Write the images as PNG files, and `expected.json`."""
        folder.mkdir()
        entries: list[dict[str, Any]] = []
        for number, image in enumerate(self.images):
            name = f"{number:04d}.png"
            Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(folder / name)
            known = None if self.truth is None else int(self.truth[number])
            entries.append({"file": name, "expected": self.expected[number].tolist(), "class": known})
        content = {"source": self.source, "class_names": self.class_names, "samples": entries}
        (folder / "expected.json").write_text(json.dumps(content, indent=2) + "\n")


def load_samples(netlist: Netlist, golden_path: Path | None, count: int | None) -> Samples:
    """Take samples from golden results, or make random ones with the hardware graph.

    Parameters
    ----------
    netlist
        The accelerator; its input is an 8-bit image with 1 or 3 channels, its output the best classes or values.
    golden_path
        `golden.npz` of `dsode export`, with its notes `golden.json` beside it; None: random images.
    count
        Number of samples; all if None (16 random ones).

    Raises
    ------
    UserError
        The accelerator is not of that kind, or the golden files do not belong to it.
    """
    (source,), (sink,) = netlist.inputs.values(), netlist.outputs.values()
    _, height, width, channels = source.shape
    if source.datatype != f"UINT{INPUT_BITS}" or channels not in (1, 3):
        raise UserError(
            f"the driver takes 8-bit images with 1 or 3 channels, not {source.datatype} with {channels} channels"
        )
    preprocessing = Preprocessing((height, width), channels)
    notes: dict[str, Any] = {}
    if golden_path is None:
        ensure_finn()
        from qonnx.core.modelwrapper import ModelWrapper

        model = ModelWrapper(str(netlist.folder / GRAPH_FILE))
        golden = random_golden(netlist, model, count or RANDOM_SAMPLES, seed=1)
    else:
        golden = load_golden(golden_path, netlist)
        notes = _notes(golden_path.with_suffix(NOTES_SUFFIX))
    chosen = golden if count is None else _first(golden, count)
    source_text = str(notes.get("dataset") or "random images and the hardware graph in Python")
    if not netlist.results[0].labels:
        assert chosen.logits is not None  # a golden file holds what the accelerator gives
        codes = chosen.frames.astype(np.uint8)
        return Samples(codes, chosen.logits, None, preprocessing, (), None, source_text)
    if golden.logits is None or chosen.labels is None:
        raise UserError("the names of the classes need golden logits; give a golden file that has them")
    classes = golden.logits.shape[1]
    names = tuple(notes.get("class_names") or (str(number) for number in range(classes)))
    if len(names) != classes:
        raise UserError(f"{golden_path}: {len(names)} class names for {classes} classes")
    best = chosen.labels.reshape(len(chosen.frames), sink.shape[-1])
    accuracy = notes.get("accuracy")
    return Samples(chosen.frames.astype(np.uint8), best, chosen.truth, preprocessing, names, accuracy, source_text)


def _first(golden: GoldenFrames, count: int) -> GoldenFrames:
    return golden.first(min(count, len(golden.frames)))


def _notes(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        notes = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not a JSON file: {error}") from None
    if not isinstance(notes, dict):
        raise UserError(f"{path}: not the notes of `dsode export`")
    names, accuracy = notes.get("class_names"), notes.get("accuracy")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise UserError(f"{path}: `class_names` must be a list of texts, not {names!r}")
    if accuracy is not None and not (isinstance(accuracy, float | int) and 0 <= accuracy <= 1):
        raise UserError(f"{path}: `accuracy` must be 0 to 1, not {accuracy!r}")
    return notes
