"""Reading module headers: the forms that FINN's and our wrappers use."""

import pytest

from finn_flow.errors import FlowError
from finn_flow.netlist.module_header import Port, declared_names, evaluate, read_ports

WRAPPER = """
/* module comment_only (input a); */
`default_nettype none
package some_pkg;
endpackage
module wrapper #(
    parameter  SETS = 3,
    parameter  WIDTH = 13,  // bits
    parameter  FILE = "x.dat",
    parameter  ADDRESS = $clog2(SETS * (2**$clog2((WIDTH+31)/32))) + 2,
    parameter  SET_BITS = SETS > 2? $clog2(SETS) : 1
)(
    (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF a:b, ASSOCIATED_RESET rst" *)
    input   ap_clk,
    input wire ap_rst_n,
    output  [ADDRESS-1:0]  address, other,
    input [(((SETS > 2? $clog2(SETS) : 1)+7)/8)*8-1:0]  in1_V_TDATA,
    output logic [((WIDTH+7)/8)*8-1:0]  out0_V_TDATA
);
endmodule
module later (input [WORD-1:0] x, output y);
parameter BITS = 5;
parameter WORD = BITS * 2;
endmodule
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7", 7),
        ("A + 2*B - 1", 8),
        ("(A+7)/8 * 8", 8),
        ("2**$clog2((B+31)/32)", 1),
        ("A > 2? $clog2(A) : 1", 2),
        ("A < 2 ? 1 : B == 3 ? 20 : 30", 20),
        ("((A > 2? $clog2(A) : 1)+7)/8", 1),
        ("-A + 10", 7),
        ("$clog2(1)", 0),
    ],
)
def test_constant_expressions(expression: str, value: int) -> None:
    assert evaluate(expression, {"A": 3, "B": 3}) == value


@pytest.mark.parametrize("expression", ["unknown + 1", "{2{1'b0}}", "A & 1", ""])
def test_other_expressions_are_refused(expression: str) -> None:
    with pytest.raises(FlowError, match="cannot evaluate the Verilog expression"):
        evaluate(expression, {"A": 3})


def test_ports_with_widths_from_parameters() -> None:
    assert list(read_ports(WRAPPER, "wrapper").values()) == [
        Port("ap_clk", "input", 1),
        Port("ap_rst_n", "input", 1),
        Port("address", "output", 4),
        Port("other", "output", 4),
        Port("in1_V_TDATA", "input", 8),
        Port("out0_V_TDATA", "output", 16),
    ]


def test_parameters_inside_the_module() -> None:
    assert read_ports(WRAPPER, "later")["x"] == Port("x", "input", 10)


def test_declared_names_without_comments() -> None:
    assert declared_names(WRAPPER) == ["some_pkg", "wrapper", "later"]


def test_missing_module_and_odd_header_are_named() -> None:
    with pytest.raises(FlowError, match="there is no module nothing"):
        read_ports(WRAPPER, "nothing")
    with pytest.raises(FlowError, match="module old: port declaration 'a' is not understood"):
        read_ports("module old (a, b);\ninput a; output b;\nendmodule\n", "old")
