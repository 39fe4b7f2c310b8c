import pytest

from brevitas_models.training import load_training_config
from finn_flow.errors import UserError
from tests.brevitas_models.training.synthetic import CONFIG, write_config
from tests.places import BUILD_CONFIGS

SHIPPED = sorted((BUILD_CONFIGS / "train").glob("*.json"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_load(path):
    config = load_training_config(path)
    if path.stem.startswith("full_"):
        assert path.stem == f"full_{config.source.name}_{config.target.name}".replace("-", "_")
        assert any(loss.uses_teacher for loss in config.adaptation)
    assert len(config.network.channels) >= 2
    assert min(config.network.iterations) >= 3


def test_there_are_quick_and_full():
    full = ["full_mnist_mnist_m", "full_mnist_usps", "full_usps_mnist"]
    assert [path.stem for path in SHIPPED] == [*full, "quick"]


def test_a_network_may_be_a_preset(tmp_path):
    config = load_training_config(write_config(tmp_path / "c.json", network="dsodenet-small"))
    assert config.network.channels == [16, 32, 64]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 3}, "unknown key `epochs`"),
        ({"batch_size": "128"}, "`batch_size`: Input should be a valid integer, not '128'"),
        ({"batch_size": 1}, "`batch_size`: Input should be greater than or equal to 2, not 1"),
        ({"network": "dsodenet-huge"}, "no network preset is called 'dsodenet-huge'; use one of odenet-tiny"),
        ({"network": {**CONFIG["network"], "weight_bits": 9}}, "`network.weight_bits`"),
        ({"network": {**CONFIG["network"], "iterations": [2, 3]}}, "need one entry per ODE block each, not 1 and 2"),
        ({"source": {"name": "mnits"}}, "`source.name`: must be one of mnist, usps"),
        ({"source": "mnist"}, "`source`"),
        ({"adaptation": [{"name": "choral"}]}, "'coral'"),
        ({"adaptation": [{"name": "coral", "wieght": 1.0}]}, "unknown key `adaptation.0.coral.wieght`"),
        ({"adaptation": [{"name": "coral"}, {"name": "coral"}]}, "must name each loss once, not coral, coral"),
        ({"adaptation": [{"name": "pseudo_labels", "keep": 0.0}]}, "`adaptation.0.pseudo_labels.keep`"),
        ({"augmentation": {"scale": [1.2, 0.8]}}, "`scale` must be [smallest, largest], not [1.2, 0.8]"),
        ({"device": "tpu"}, "`device`"),
        ({"learning_rate": 0.0}, "`learning_rate`: Input should be greater than 0"),
    ],
)
def test_mistakes(tmp_path, changes, message):
    path = write_config(tmp_path / "c.json", **changes)
    with pytest.raises(UserError) as error:
        load_training_config(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_a_missing_key(tmp_path):
    path = tmp_path / "c.json"
    path.write_text('{"network": "dsodenet-tiny", "source": {"name": "mnist"}}')
    with pytest.raises(UserError, match="missing key `target`"):
        load_training_config(path)


def test_no_such_file(tmp_path):
    with pytest.raises(UserError, match="there is no such training config"):
        load_training_config(tmp_path / "c.json")


def test_not_json(tmp_path):
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(UserError, match=r"not a JSON file: .*line 1"):
        load_training_config(tmp_path / "c.json")
