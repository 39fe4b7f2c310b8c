"""Every mode of Pillow becomes 8-bit grey or RGB, or is refused by name."""

import io

import numpy as np
import pytest
from PIL import Image

from finn_flow.deployment.driver.picture_modes import to_uint8

WIDE = [0, 128, 256, 32768, 65535]
WIDE_AS_BYTES = [0, 0, 1, 128, 255]
ON_WHITE = [(100, 255, 100), (100, 0, 255), (100, 128, 177), (0, 1, 254)]
"""Value, alpha, value on white: 177.2 and 254 are rounded, not cut off."""


def wide(dtype: str) -> Image.Image:
    return Image.fromarray(np.array([WIDE], dtype))


def grey_with_alpha() -> Image.Image:
    return Image.fromarray(np.array([[entry[:2] for entry in ON_WHITE]], np.uint8), "LA")


def colour_with_alpha() -> Image.Image:
    return Image.fromarray(np.array([[(v, v, 255, a) for v, a, _ in ON_WHITE]], np.uint8), "RGBA")


def palette(mode: str = "RGB") -> Image.Image:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 0, 200, 100, 0, 255] if mode == "RGBA" else [10, 20, 30, 200, 100, 0], mode)
    picture.putdata([0, 1])
    return picture


def palette_and_alpha() -> Image.Image:
    picture = Image.new("PA", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 0])
    picture.putdata([(0, 0), (1, 255)])
    return picture


def plain(mode: str, *values: object) -> Image.Image:
    picture = Image.new(mode, (len(values), 1))
    picture.putdata(values)
    return picture


WHITE_AND_ORANGE = [(255, 255, 255), (200, 100, 0)]
ALL_ON_WHITE = [on_white for *_, on_white in ON_WHITE]
CASES: dict[str, tuple[Image.Image, list[object]]] = {
    "1": (plain("1", 0, 1), [0, 255]),
    "L": (plain("L", 0, 77, 255), [0, 77, 255]),
    "P": (palette(), [(10, 20, 30), (200, 100, 0)]),
    "RGB": (plain("RGB", (1, 2, 3)), [(1, 2, 3)]),
    "RGBX": (plain("RGBX", (1, 2, 3, 0)), [(1, 2, 3)]),
    "CMYK": (plain("CMYK", (255, 0, 0, 0), (0, 0, 0, 0)), [(0, 255, 255), (255, 255, 255)]),
    "YCbCr": (plain("YCbCr", (77, 128, 128)), [(77, 77, 77)]),
    "HSV": (plain("HSV", (0, 255, 255), (0, 0, 9)), [(255, 0, 0), (9, 9, 9)]),
    "LA": (grey_with_alpha(), ALL_ON_WHITE),
    "La": (plain("La", (100, 128), (0, 0)), [227, 255]),
    "PA": (palette_and_alpha(), WHITE_AND_ORANGE),
    "RGBA": (colour_with_alpha(), [(value, value, 255) for value in ALL_ON_WHITE]),
    "RGBa": (plain("RGBa", (0, 50, 128, 128), (0, 0, 0, 0)), [(127, 177, 255), (255, 255, 255)]),
    "I": (wide("int32"), WIDE_AS_BYTES),
    "I;16": (wide("<u2"), WIDE_AS_BYTES),
    "I;16L": (plain("I;16L", *WIDE), WIDE_AS_BYTES),
    "I;16B": (wide(">u2"), WIDE_AS_BYTES),
    "I;16N": (Image.frombytes("I;16N", (5, 1), np.array(WIDE, np.uint16).tobytes()), WIDE_AS_BYTES),
}
REFUSED = {"F", "LAB"}


def test_all_modes_are_here():
    assert CASES.keys() | REFUSED == set(Image.MODES)


@pytest.mark.parametrize("mode", CASES)
def test_a_mode(mode):
    picture, expected = CASES[mode]
    assert picture.mode == mode
    found = to_uint8(picture)
    assert found.dtype == np.uint8
    assert found.tolist() == [[list(value) if isinstance(value, tuple) else value for value in expected]]


@pytest.mark.parametrize("mode", sorted(REFUSED))
def test_a_refused_mode(mode):
    with pytest.raises(ValueError, match=f"its mode {mode} is not one of .*; save it as 8-bit grey or RGB"):
        to_uint8(Image.new(mode, (2, 2)))


@pytest.mark.parametrize("values", [[-1, 0], [0, 65536]])
def test_integers_wider_than_16_bits(values):
    with pytest.raises(ValueError, match=f"its values {values[0]}..{values[1]} are not those of 16-bit grey"):
        to_uint8(Image.fromarray(np.array([values], np.int32)))


@pytest.mark.parametrize(
    ("picture", "transparent", "expected"),
    [
        (plain("1", 0, 1), 0, [255, 255]),
        (plain("L", 9, 77), 9, [255, 77]),
        (plain("RGB", (1, 2, 3), (4, 5, 6)), (1, 2, 3), [(255, 255, 255), (4, 5, 6)]),
        (palette(), 0, WHITE_AND_ORANGE),
        (palette(), b"\x00\xff", WHITE_AND_ORANGE),
        (wide("<u2"), 256, [0, 0, 255, 128, 255]),
    ],
)
def test_a_transparent_colour_in_a_png_file(picture, transparent, expected):
    file = io.BytesIO()
    picture.save(file, "png", transparency=transparent)
    found = to_uint8(Image.open(file))
    grey = found[..., 0] if found.ndim == 3 and not isinstance(expected[0], tuple) else found
    assert grey.tolist() == [[list(value) if isinstance(value, tuple) else value for value in expected]]


def test_a_palette_with_alpha():
    assert to_uint8(palette("RGBA")).tolist() == [[list(value) for value in WHITE_AND_ORANGE]]
