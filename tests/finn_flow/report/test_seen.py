"""Pictures, answers and mistakes from golden results."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from finn_flow.build_folder import BuildFolder
from finn_flow.errors import UserError
from finn_flow.report.seen import what_it_sees

INPUTS = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2, 1)
LOGITS = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]], np.float32)


def write(folder, labels=(0, 1, 1), names=("cat", "dog"), inputs=INPUTS):
    place = BuildFolder(folder)
    np.savez(place.golden, inputs=inputs, logits=LOGITS, labels=np.array(labels))
    place.golden_notes.write_text(json.dumps({"dataset": "pets", "class_names": list(names)}))
    return place


def test_confusion_samples_and_mistakes(tmp_path):
    seen = what_it_sees(write(tmp_path))
    assert (seen["images"], seen["right"]) == (3, 2)
    assert seen["confusion"] == [[1, 0], [1, 1]]
    assert [picture["answer"] for picture in seen["samples"]] == ["cat", "dog", "cat"]
    (mistake,) = seen["mistakes"]
    assert (mistake["truth"], mistake["answer"]) == ("dog", "cat")
    assert mistake["confidence"] == pytest.approx(np.exp(3) / (np.exp(3) + 1), abs=1e-4)
    encoded = mistake["png"].removeprefix("data:image/png;base64,")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded)))), INPUTS[2, :, :, 0])


def test_without_pictures_of_known_classes_there_is_nothing_to_see(tmp_path):
    assert what_it_sees(BuildFolder(tmp_path)) is None
    assert what_it_sees(write(tmp_path, names=("cat",))) is None
    assert what_it_sees(write(tmp_path, labels=(0, 1, 2))) is None
    assert what_it_sees(write(tmp_path, inputs=INPUTS.astype(np.float32))) is None


def test_a_damaged_file_is_one_line(tmp_path):
    place = write(tmp_path)
    place.golden.write_bytes(b"PK\x03\x04 no")
    with pytest.raises(UserError, match=r"golden\.npz is damaged: .*; make it again"):
        what_it_sees(place)
