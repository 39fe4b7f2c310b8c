"""Every way of writing a network is exact in Verilator, or refused with its message; the documentation says so."""

import pytest

from finn_flow.errors import UserError
from tests.byo.cases import CASES
from tests.byo.run import build_case, outcome
from tests.byo.table import table, written

EXACT = [name for name, case in CASES.items() if case.refusal is None]
REFUSED = [name for name, case in CASES.items() if case.refusal is not None]


@pytest.mark.parametrize("name", EXACT)
def test_exact(name: str) -> None:
    assert outcome(CASES[name]) == "exact"


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path) -> None:
    with pytest.raises(UserError) as refusal:
        build_case(CASES[name], tmp_path)
    assert str(refusal.value) == f"{tmp_path / 'model.onnx'}: {CASES[name].refusal}"


def test_the_documentation_says_so() -> None:
    assert written() == table()
