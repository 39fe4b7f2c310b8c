"""Templates are filled completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from finn_flow.errors import FlowError
from finn_flow.templates import fill_template, fill_text


def test_every_placeholder_is_replaced(tmp_path: Path) -> None:
    template = tmp_path / "top.v.in"
    template.write_text("module @TOP@; // @TOP@, @WIDTH_1@ bits, always @(posedge clk)")
    filled = fill_template(template, {"TOP": "m", "WIDTH_1": "8"})
    assert filled == "module m; // m, 8 bits, always @(posedge clk)"


def test_a_value_is_not_searched_for_placeholders() -> None:
    assert fill_text("@A@ @B@", {"A": "@B@", "B": "1"}, "x") == "@B@ 1"


@pytest.mark.parametrize("values", [{"A": "1"}, {"A": "1", "B": "2", "C": "3"}])
def test_placeholders_and_values_must_be_the_same(values: dict[str, str]) -> None:
    differing = "B" if len(values) == 1 else "C"
    with pytest.raises(FlowError, match=f"^x: placeholders and values must be the same, not differ in {differing}$"):
        fill_text("@A@ @B@", values, "x")
