import ast
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finn_flow.deployment import driver
from finn_flow.deployment.driver.preprocessing import INPUT_SCALE, Preprocessing

IMAGES = arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3])))


@given(IMAGES)
def test_fitting_images_are_copied(images):
    result = Preprocessing(images.shape[1:3], images.shape[3]).apply(images)
    assert np.array_equal(result, images)
    assert not np.shares_memory(result, images)


@given(IMAGES, st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))
def test_shape_and_range(images, height, width, channels):
    result = Preprocessing((height, width), channels).apply(images)
    assert result.shape == (len(images), height, width, channels)
    assert result.dtype == np.uint8
    assert images.min() <= result.min() <= result.max() <= images.max()


@given(arrays(np.uint8, (1, 4, 5, 3)))
def test_grey_is_luma(images):
    red, green, blue = (images[..., channel].astype(np.int64) for channel in range(3))
    expected = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    assert np.array_equal(Preprocessing((4, 5), 1).apply(images)[..., 0], expected)


@given(arrays(np.uint8, (2, 4, 5, 1)))
def test_grey_to_rgb_repeats(images):
    assert np.array_equal(Preprocessing((4, 5), 3).apply(images), np.repeat(images, 3, axis=3))


def test_a_batch_is_its_images_whatever_their_shape():
    random = np.random.default_rng(1)
    images = [random.integers(256, size=shape, dtype=np.uint8) for shape in [(5, 7), (5, 7, 1), (9, 3, 3)]]
    preprocessing = Preprocessing((6, 4), 3)
    together = preprocessing.apply(iter(images))
    assert np.array_equal(together, np.concatenate([preprocessing.apply(image[np.newaxis]) for image in images]))
    assert preprocessing.apply([]).shape == (0, 6, 4, 3)


def test_enlarging_is_bilinear():
    image = np.array([[[0], [100]]], np.uint8)[np.newaxis]
    assert Preprocessing((1, 4), 1).apply(image).ravel().tolist() == [0, 25, 75, 100]


def test_shrinking_averages():
    image = np.array([[0, 0, 90, 90]], np.uint8)[np.newaxis, ..., np.newaxis]
    assert Preprocessing((1, 2), 1).apply(image).ravel().tolist() == [13, 77]


def test_the_codes_are_the_same_with_every_pillow():
    """A network is trained with one Pillow and run on the board with another: these bytes must not change."""
    image = (np.arange(16 * 16 * 3, dtype=np.int64) * 7919 % 256).astype(np.uint8).reshape(1, 16, 16, 3)
    digest = hashlib.sha256(b"".join(Preprocessing((28, 28), c).apply(image).tobytes() for c in (1, 3))).hexdigest()
    assert digest == "1130639f83cb008a8a598e6cf4f03e8c385f9865ea89ffba58b71ed5814a1b6b"


def test_scale():
    assert INPUT_SCALE == 1 / 256


def test_json_round_trip():
    preprocessing = Preprocessing((12, 20), 3)
    text = json.dumps(preprocessing.to_json())
    assert Preprocessing.from_json(json.loads(text)) == preprocessing


@pytest.mark.parametrize(
    ("size", "channels", "message"),
    [
        ((0, 3), 1, r"`image_size` must be \[height, width\], two whole numbers >= 1, not \(0, 3\)"),
        ((3,), 1, "`image_size` must be"),
        ((3, 2.5), 1, "`image_size` must be"),
        ((3, 3), 2, r"`channels` must be 1 \(grey\) or 3 \(RGB\), not 2"),
    ],
)
def test_wrong_parameters(size, channels, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing(size, channels)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 4, 4, 1)), "an image must be a uint8 array, not float64"),
        ([[1, 2]], "an image must be a uint8 array, not list"),
        (np.zeros((1, 4, 4, 2), np.uint8), r"not \[4, 4, 2\]"),
        (np.zeros((4, 4), np.uint8), r"must have shape .* not \[4\]"),
        (np.zeros((1, 0, 4, 1), np.uint8), r"not \[0, 4\]"),
    ],
)
def test_wrong_images(images, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing((5, 5), 1).apply(images)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "must be an object with the keys"),
        ({"input_scale_exponent": -7}, r"not 8-bit of scale 2\*\*-7"),
        ({"input_bits": 4}, "not 4-bit"),
        ({"image_size": 5}, r"`image_size` must be \[height, width\], not 5"),
    ],
)
def test_wrong_json(change, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing.from_json({**Preprocessing((5, 5), 1).to_json(), **change})


def test_needs_neither_torch_nor_this_machines_packages():
    code = (
        "import sys, finn_flow.deployment.driver.preprocessing; "
        "found = {'torch', 'onnx', 'qonnx', 'scipy', 'click', 'pydantic'} & set(sys.modules); assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("path", sorted(Path(driver.__path__[0]).glob("**/*.py")), ids=lambda path: path.name)
def test_driver_parses_on_the_boards_python(path):
    ast.parse(path.read_text(), feature_version=(3, 10))
