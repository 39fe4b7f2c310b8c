"""Design spaces: what is chosen, where it goes, and what is refused."""

import json

import pytest

from finn_flow.errors import UserError
from finn_flow.explore.space import Space, load_space

SPACE = {
    "network": {"channels": {"any_of": [[4, 8], [8, 16]]}, "weight_bits": 4},
    "training": {"config": "quick", "augmentation": {"shift": {"any_of": [0.0, 0.1, 0.2]}}},
    "build": {"target_fps": {"any_of": [5000, 10000]}},
    "objectives": ["accuracy", "LUT"],
}


def test_choices_and_candidates():
    space = Space.model_validate(SPACE)
    assert [choice.name for choice in space.choices()] == [
        "network.channels",
        "training.augmentation.shift",
        "build.target_fps",
    ]
    assert space.size == 12
    keys = {"network.channels": "[8, 16]", "training.augmentation.shift": "0.2", "build.target_fps": "5000"}
    assert space.candidate(keys) == {
        "network": {"channels": [8, 16], "weight_bits": 4},
        "training": {"config": "quick", "augmentation": {"shift": 0.2}},
        "build": {"target_fps": 5000},
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": None}, "accuracy only with a `training`"),
        ({"objectives": ["LUT", "LUT"]}, "each figure once"),
        ({"objectives": []}, "`objectives`"),
        ({"objectives": ["speed"]}, "`objectives.0`"),
        ({"network": {}, "training": {}, "build": {}}, "nothing to choose"),
        ({"build": {"target_fps": {"any_of": []}}}, "`build.target_fps`: any_of must hold one value or more"),
        ({"build": {"target_fps": {"any_of": [1, 1]}}}, "each once"),
        ({"trial": 3}, "unknown key `trial`"),
        ({"trials": 0}, "`trials`"),
    ],
)
def test_bad_spaces(tmp_path, changes, message):
    path = tmp_path / "space.json"
    path.write_text(json.dumps({**SPACE, **changes}))
    with pytest.raises(UserError) as error:
        load_space(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)
