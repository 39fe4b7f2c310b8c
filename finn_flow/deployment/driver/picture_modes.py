"""From a picture in any of Pillow's modes to 8-bit grey or RGB; training and the board use this very code.

Needs Python 3.10, NumPy and Pillow only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Uint8Array = npt.NDArray[np.uint8]

_GREY = {"1", "L"}
_COLOUR = {"P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV"}
_ALPHA = {"LA": "LA", "La": "LA", "PA": "RGBA", "RGBA": "RGBA", "RGBa": "RGBA"}
_WIDE_GREY = {"I", "I;16", "I;16L", "I;16B", "I;16N"}
"""Older versions of Pillow open 16-bit grey files in mode "I"."""

_LARGEST = 2**16 - 1


def to_uint8(picture: Image.Image) -> Uint8Array:
    """Return the pixels of a picture as uint8 [h, w] (grey) or [h, w, 3] (RGB).

    - Transparency, as alpha, in a palette or as a transparent colour, lies on white: with alpha a of 0..255 a value v
      becomes `(v * a + 255 * (255 - a) + 127) // 255`.
    - 16-bit grey is scaled by its upper byte, `v >> 8`, as Pillow reads 16-bit colour.
    - Black and white become 0 and 255; palettes, CMYK, YCbCr and HSV become RGB as Pillow converts them.

    A rotation noted in EXIF is not applied; of an animation the first frame is taken.

    Raises
    ------
    ValueError
        A mode whose values have no fixed range (floats, wider integers), or that is not known (LAB).
    """
    mode = picture.mode
    if mode in _WIDE_GREY:
        return _from_wide_grey(picture)
    if mode in _ALPHA:
        return _on_white(picture.convert(_ALPHA[mode]))
    if mode not in _GREY | _COLOUR:
        raise ValueError(f"its mode {mode} is not one of 8- or 16-bit grey and colour; save it as 8-bit grey or RGB")
    if _is_transparent(picture):
        return _on_white(picture.convert("RGBA"))
    return np.asarray(picture.convert("L" if mode in _GREY else "RGB"))


def _is_transparent(picture: Image.Image) -> bool:
    palette_mode = picture.palette.mode if picture.mode == "P" and picture.palette else ""
    return "transparency" in picture.info or palette_mode.endswith("A")


def _from_wide_grey(picture: Image.Image) -> Uint8Array:
    values: npt.NDArray[Any] = np.asarray(picture)
    if values.size and not 0 <= values.min() <= values.max() <= _LARGEST:
        raise ValueError(
            f"its values {values.min()}..{values.max()} are not those of 16-bit grey, 0..{_LARGEST}; "
            "save it as 8- or 16-bit grey"
        )
    grey = (values >> 8).astype(np.uint8)
    transparent = picture.info.get("transparency")
    return grey if transparent is None else np.where(values == transparent, np.uint8(255), grey)


def _on_white(picture: Image.Image) -> Uint8Array:
    """Return a picture of mode LA or RGBA on white."""
    pixels = np.asarray(picture).astype(np.uint16)
    values, alpha = pixels[:, :, :-1], pixels[:, :, -1:]
    # At most 255 * 255 + 127, which 16 bits hold.
    mixed = ((values * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return mixed[:, :, 0] if mixed.shape[2] == 1 else mixed
