"""Ten thousand frames under random pauses and resets; `make soak` runs a million."""

from tests.soak import soak


def test_nothing_lost_reordered_or_wrong():
    count = soak(10_000, seed=1)
    assert count["frames"] == 10_000
    assert count["resets"] == count["runs"] >= 5
