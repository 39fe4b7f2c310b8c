"""Every way of writing a network is exact in Verilator, or refused with its message."""

import pytest

from tests.byo.cases import CASES
from tests.byo.run import outcome

EXACT = ("one shared quantiser",)


@pytest.mark.parametrize("name", EXACT)
def test_exact(name):
    assert outcome(CASES[name]) == "exact"
