"""From any 8-bit image to the accelerator's input tensor; training and the board use this very code.

The input tensor holds unsigned 8-bit integer codes, and the network reads a code as the value `code * 2**-8`, so that
0..255 stands for 0..0.996. There is no other normalisation: no mean, no standard deviation.

Needs Python 3.10, NumPy and Pillow only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

INPUT_BITS = 8
INPUT_SCALE_EXPONENT = -8
INPUT_SCALE = 2.0**INPUT_SCALE_EXPONENT

Uint8Array = npt.NDArray[np.uint8]

_MODES = {1: "L", 3: "RGB"}


@dataclass(frozen=True)
class Preprocessing:
    """Brings images to one size and one number of channels, in integers.

    The rule, for each image: first the channels (grey to RGB repeats the value; RGB to grey is ITU-R 601-2 luma,
    `(19595 R + 38470 G + 7471 B + 32768) >> 16`), then the size (Pillow's bilinear filter, which averages over the
    covered area when it shrinks; the aspect ratio is not kept). What already fits is passed through unchanged.

    Parameters
    ----------
    image_size
        Height and width of the result, pixels, each at least 1.
    channels
        1 (grey) or 3 (RGB).

    Raises
    ------
    ValueError
        A parameter or an image is not as described.
    """

    image_size: tuple[int, int]
    channels: int

    def __post_init__(self) -> None:
        size = self.image_size
        if len(size) != 2 or not all(isinstance(side, int) and side >= 1 for side in size):
            raise ValueError(f"`image_size` must be [height, width], two whole numbers >= 1, not {size!r}")
        if self.channels not in _MODES:
            raise ValueError(f"`channels` must be 1 (grey) or 3 (RGB), not {self.channels!r}")
        object.__setattr__(self, "image_size", tuple(size))

    def apply(self, images: Uint8Array | Iterable[Uint8Array]) -> Uint8Array:
        """Preprocess a batch.

        Parameters
        ----------
        images
            uint8, [N, h, w, 1 or 3] or [N, h, w]; or any iterable of [h, w, 1 or 3] or [h, w], sizes mixed.

        Returns
        -------
        Uint8Array
            uint8 codes [N, H, W, channels], a new array.
        """
        height, width = self.image_size
        shape = (height, width, self.channels)
        if isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.shape[1:] == shape:
            return images.copy()
        results = [self._apply_one(image) for image in images]
        return np.stack(results) if results else np.zeros((0, *shape), np.uint8)

    def _apply_one(self, image: Uint8Array) -> Uint8Array:
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
            raise ValueError(f"an image must be a uint8 array, not {getattr(image, 'dtype', type(image).__name__)}")
        if image.ndim == 3 and image.shape[2] == 1:
            image = image[:, :, 0]
        if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or image.size == 0:
            raise ValueError(f"an image must have shape [h, w], [h, w, 1] or [h, w, 3], not {list(image.shape)}")
        height, width = self.image_size
        picture = Image.fromarray(np.ascontiguousarray(image))
        if picture.mode != _MODES[self.channels]:
            picture = picture.convert(_MODES[self.channels])
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(picture, dtype=np.uint8).reshape(height, width, self.channels)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object from which `from_json` makes an equal one; it also states the input's scale."""
        return {
            "image_size": list(self.image_size),
            "channels": self.channels,
            "input_bits": INPUT_BITS,
            "input_scale_exponent": INPUT_SCALE_EXPONENT,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Preprocessing":
        """Return the preprocessing that `to_json` described.

        Raises
        ------
        ValueError
            A key is missing or unknown, or the scale is not this module's.
        """
        known = {"image_size", "channels", "input_bits", "input_scale_exponent"}
        if not isinstance(value, dict) or set(value) != known:
            raise ValueError(f"preprocessing must be an object with the keys {sorted(known)}, not {value!r}")
        scale = (value["input_bits"], value["input_scale_exponent"])
        if scale != (INPUT_BITS, INPUT_SCALE_EXPONENT):
            raise ValueError(f"the input must be 8-bit codes of scale 2**-8, not {scale[0]}-bit of scale 2**{scale[1]}")
        if not isinstance(value["image_size"], list | tuple):
            raise ValueError(f"`image_size` must be [height, width], not {value['image_size']!r}")
        return cls(tuple(value["image_size"]), value["channels"])
