"""The table of trainings: means and spreads by hand, rows that were not run, and files of other trainings."""

import json
from pathlib import Path

import pytest

from benchmarks.common.adaptation_runs import ROWS, Row, read_result

ROW = Row("mnist_usps", "dsODENet", 4)


def write(runs, seed, source_only, adapted, quantised, **changes):
    """The metrics file of a training of `ROW`."""
    folder = ROW.folder(runs, seed)
    folder.mkdir(parents=True)
    accuracies = {"source_only": source_only, "float": adapted, "quantised": quantised}
    metrics = {
        "accuracy": {phase: {"source": 0.99, "target": value} for phase, value in accuracies.items()},
        "seconds": 3600.0 * (seed + 1),
        "warnings": [],
        "training": {**ROW.config(seed).model_dump(), **changes},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))


def test_every_row_is_a_valid_training():
    assert len(ROWS) == 3 * (3 + 1 + 1)
    for row in ROWS:
        network = row.config(2).network
        assert (network.weight_bits, network.activation_bits) == (row.bits, row.bits)
        assert network.field_weights == ("per_iteration" if row.network == "ResNet" else "shared")
        assert row.config(2).seed == 2
    assert len({row.folder(Path("runs"), 0) for row in ROWS}) == len(ROWS)


def test_not_run(tmp_path):
    assert read_result(ROW, tmp_path) is None


def test_one_seed_has_no_spread(tmp_path):
    write(tmp_path, 0, 0.8, 0.975, 0.97)
    result = read_result(ROW, tmp_path)
    assert result.seeds == (0,)
    assert str(result.accuracy["float"]) == "97.50"
    assert str(result.loss) == "0.50"
    assert result.hours == pytest.approx(1.0)


def test_mean_and_spread_by_hand(tmp_path):
    write(tmp_path, 0, 0.8, 0.97, 0.96)
    write(tmp_path, 2, 0.9, 0.99, 0.99)
    result = read_result(ROW, tmp_path)
    assert result.seeds == (0, 2)
    assert str(result.accuracy["source_only"]) == "85.00 ± 7.07"
    assert str(result.accuracy["quantised"]) == "97.50 ± 2.12"
    assert str(result.loss) == "0.50 ± 0.71"
    assert result.hours == pytest.approx(2.0)


def test_the_result_of_another_training_is_refused(tmp_path):
    write(tmp_path, 0, 0.8, 0.97, 0.96, float_epochs=1)
    with pytest.raises(ValueError, match="of a training with another config than this row's"):
        read_result(ROW, tmp_path)
