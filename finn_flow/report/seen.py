"""What the network sees: which classes it confuses, pictures with its answers, and its mistakes."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from finn_flow.build_folder import BuildFolder
from finn_flow.errors import UserError
from finn_flow.json_files import read_json_object_if_there

SHOWN = 24
"""Pictures shown of each kind, at most."""


class Picture(TypedDict):
    """A picture with its true class, the network's answer, and how sure it is of it (softmax of the logits), 0 to 1."""

    png: str
    truth: str
    answer: str
    confidence: float


class Seen(TypedDict):
    """The golden images and what the network makes of them.

    confusion: images by true class and answer. samples: the first pictures. mistakes: the first wrong ones.
    """

    images: int
    right: int
    class_names: list[str]
    confusion: list[list[int]]
    samples: list[Picture]
    mistakes: list[Picture]


def what_it_sees(place: BuildFolder) -> Seen | None:
    """Return what the golden results of a build show; None without images of known classes that a page can show."""
    notes = read_json_object_if_there(place.golden_notes) or {}
    if not place.golden.is_file() or not isinstance(notes.get("class_names"), list):
        return None
    arrays = _read(place.golden)
    if arrays is None:
        return None
    inputs, logits, labels = arrays
    names = [str(name) for name in notes["class_names"]]
    if len(names) != logits.shape[1] or labels.max(initial=0) >= len(names) or labels.min(initial=0) < 0:
        return None
    answers = logits.argmax(axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    confidence = powers.max(axis=1) / powers.sum(axis=1)
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (labels, answers), 1)

    def picture(index: int) -> Picture:
        return Picture(
            png=_png(inputs[index]),
            truth=names[labels[index]],
            answer=names[answers[index]],
            confidence=round(float(confidence[index]), 4),
        )

    wrong = np.flatnonzero(answers != labels)
    return Seen(
        images=len(labels),
        right=len(labels) - len(wrong),
        class_names=names,
        confusion=confusion.tolist(),
        samples=[picture(index) for index in range(min(SHOWN, len(labels)))],
        mistakes=[picture(int(index)) for index in wrong[:SHOWN]],
    )


def _read(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]] | None:
    """Return inputs, logits and labels of a golden file; None where they are not pictures of known classes."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found: dict[str, Any] = {name: arrays[name] for name in ("inputs", "logits", "labels") if name in arrays}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged: {error}; make it again") from None
    if len(found) < 3:
        return None
    inputs, logits, labels = found["inputs"], found["logits"], found["labels"]
    pictures = inputs.dtype == np.uint8 and inputs.ndim == 4 and inputs.shape[3] in (1, 3)
    fits = (
        logits.ndim == 2
        and labels.ndim == 1
        and labels.dtype.kind in "iu"
        and len(inputs) == len(logits) == len(labels)
    )
    if not pictures or not fits or not len(labels) or not np.isfinite(logits).all():
        return None
    return inputs, logits.astype(np.float64), labels.astype(np.int64)


def _png(pixels: NDArray[np.uint8]) -> str:
    """Return a picture as a data URI."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
