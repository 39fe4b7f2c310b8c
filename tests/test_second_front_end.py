"""What slang, a front end that shares nothing with Verilator, says of our sources and of whole netlists."""

import re
from pathlib import Path

import pytest

from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.rtl_lint import VARIANTS, closure, finn_cores, own_cores
from tests.finn_flow.netlist.one_block import one_block
from tests.second_front_end import front_end_errors, netlist_errors


@pytest.mark.parametrize("core", own_cores())
def test_cores_with_all_their_parameters(core: str, tmp_path: Path) -> None:
    ensure_finn()
    files = own_cores() | finn_cores()
    sources = [files[name] for name in closure(core, files)]
    for parameters in ({}, *VARIANTS.get(core, ())):
        assert front_end_errors(core, sources, tmp_path, parameters) == ""


def test_a_whole_netlist(tmp_path: Path) -> None:
    assert netlist_errors(one_block().netlist, tmp_path) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wire a = b; wire b = 1;", "used before its declaration"),
        ("`default_nettype none\n", "directive is not allowed inside a design element"),
        ("absent m ();", "unknown module"),
        ("logic a; always_comb a = b;", "undeclared identifier"),
    ],
)
def test_it_would_object(text: str, message: str, tmp_path: Path) -> None:
    source = tmp_path / "wrong.sv"
    source.write_text(f"module wrong; {text} endmodule\n")
    assert re.search(message, front_end_errors("wrong", [source], tmp_path))
