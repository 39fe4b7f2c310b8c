"""Every core lints alone, and refuses illegal parameters at elaboration."""

from __future__ import annotations

import pytest

from finn_flow.rtl_lint import Parameters, lint_messages, main, own_cores

ILLEGAL: list[tuple[str, Parameters, str]] = [
    ("adder_tree", {"N": 1}, "N must be at least 2, not 1"),
    ("credit_fifo", {"DEPTH": 0}, "DEPTH must be at least 1"),
    ("depthwise_conv", {"K": 4}, "K must be 3 or 5, not 4"),
    ("depthwise_conv", {"STRIDE": 3}, "STRIDE must be 1 or 2, not 3"),
    ("depthwise_conv", {"K": 5, "H": 2}, "H and W must be at least K/2 + 1, not 2 and 4"),
    ("depthwise_conv", {"CF": 2}, "WEIGHT_FILE must be given for CF > 1"),
    ("depthwise_conv", {"IN_BITS": 13}, "IN_BITS must be 1 to 12, not 13"),
    ("depthwise_conv", {"WEIGHT_BITS": 9}, "WEIGHT_BITS must be 2 to 8, not 9"),
    ("fork_stream", {"N": 1}, "N must be at least 2, not 1"),
    ("global_sum_pool", {"OUT_BITS": 3}, "OUT_BITS must be at least IN_BITS, not 3 with IN_BITS=4"),
    ("indexed_thresholding", {"SETS": 1}, "SETS must be at least 2, not 1"),
    ("indexed_thresholding", {"OUT_BITS": 1}, "OUT_BITS must hold 0 to 3, not 1"),
    ("indexed_thresholding", {"WORDS": 3}, "CF divide WORDS, not 3, 2 and 2"),
    ("ode_update", {"FRACTION_BITS": 25}, "FRACTION_BITS must be -24 to 24, not 25"),
    ("top_k", {"PE": 3}, "PE must divide LABELS, not PE=3 with LABELS=10"),
    ("top_k", {"K": 11}, "K must be 1 to LABELS, not K=11 with LABELS=10"),
]


def test_all_cores_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert ", 0 with warnings" in capsys.readouterr().out


@pytest.mark.parametrize(("core", "parameters", "message"), ILLEGAL)
def test_illegal_parameters_stop_elaboration(core: str, parameters: Parameters, message: str) -> None:
    assert message in lint_messages(core, list(own_cores().values()), parameters)
