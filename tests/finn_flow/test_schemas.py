"""The schemas for editors are those of the models, and shipped configurations follow them."""

import json

import jsonschema
import pytest

from finn_flow.schemas import FOLDER, SUFFIX, schemas
from tests.places import BUILD_CONFIGS


@pytest.fixture(scope="module")
def generated():
    return schemas()


def test_the_files_are_those_of_the_models(generated):
    found = {path.name.removesuffix(SUFFIX): json.loads(path.read_text()) for path in FOLDER.glob(f"*{SUFFIX}")}
    assert found == json.loads(json.dumps(generated)), "run python -m finn_flow.schemas"


@pytest.mark.parametrize("path", sorted((BUILD_CONFIGS / "train").glob("*.json")), ids=lambda path: path.stem)
def test_shipped_trainings_follow_their_schema(generated, path):
    jsonschema.validate(json.loads(path.read_text()), generated["train"])


@pytest.mark.parametrize("path", sorted(BUILD_CONFIGS.glob("*.json")), ids=lambda path: path.stem)
def test_shipped_builds_follow_their_schema(generated, path):
    jsonschema.validate(json.loads(path.read_text()), generated["build"])


def test_a_wrong_key_is_found(generated):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"objectives": ["speed"]}, generated["space"])
