"""Folders of pictures as a user has them: shapes drawn on paper of two colours, in several sizes, modes and formats."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CLASSES = ("bars", "cross", "dot")


def draw_domain(folder: Path, classes: Sequence[str] = CLASSES, count: int = 25, dark: bool = False) -> Path:
    """Write `count` pictures of every class of `CLASSES` or `edge` below `folder` and return it."""
    random = np.random.default_rng([len(classes), count, dark])
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture = _draw(name, random, dark)
            if number % 3 == 0:
                picture.save(folder / name / f"{number:03}.jpg", quality=95)
            else:
                (picture if number % 3 == 1 else picture.convert("L")).save(folder / name / f"{number:03}.png")
    return folder


def _draw(name: str, random: np.random.Generator, dark: bool) -> Image.Image:
    side = int(random.integers(12, 40))
    paper, ink = ((60, 50, 40), (200, 220, 210)) if dark else ((240, 240, 230), (20, 30, 60))
    picture = Image.new("RGB", (side, side), paper)
    draw = ImageDraw.Draw(picture)
    width, third = max(2, side // 5), side // 3
    if name == "bars":
        for left in (0, 2 * third):
            draw.rectangle((left, 0, left + width, side), fill=ink)
    elif name == "cross":
        draw.line((0, 0, side, side), fill=ink, width=width)
        draw.line((0, side, side, 0), fill=ink, width=width)
    elif name == "dot":
        draw.ellipse((third - 2, third - 2, 2 * third + 2, 2 * third + 2), fill=ink)
    else:
        draw.rectangle((0, 0, side, width), fill=ink)
    return picture
