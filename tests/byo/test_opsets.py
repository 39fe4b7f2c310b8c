"""The same network in every supported operator set."""

import json

import pytest

from finn_flow.build_folder import BuildFolder
from tests.byo.cases import AdaptivePoolHead, Case, pooled_stem
from tests.byo.layers import network
from tests.byo.run import build_case


@pytest.mark.parametrize("opset", range(11, 22))
def test_operator_set(opset, tmp_path) -> None:
    def make():
        return network(first=pooled_stem(), head=AdaptivePoolHead(bias=True))

    case = Case("", make, export={"opset_version": opset})
    build_case(case, tmp_path, last_step="step_convert_to_hardware")
    proof = json.loads(BuildFolder(tmp_path / "build").proof.read_text())
    assert set(proof["frames"]) == {"integers", "hardware graph"}
