"""Reading the header of a Verilog module: its ports and their widths."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from finn_flow.errors import FlowError

_NOISE = re.compile(r"//[^\n]*|/\*.*?\*/|\(\*[^)].*?\*\)", re.DOTALL)
_DIRECTIVE = re.compile(r"^\s*`.*$", re.MULTILINE)
_MODULE = re.compile(r"^\s*(?:module|package|interface)\s+(?:automatic\s+)?(\w+)", re.MULTILINE)
_TYPE = r"(?:int|bit|logic|integer)?\s*(?:unsigned)?"
_PARAMETER = re.compile(rf"(?:parameter|localparam)?\s*{_TYPE}\s*(\w+)\s*=\s*(.+)", re.DOTALL)
_BODY_PARAMETER = re.compile(r"^\s*((?:parameter|localparam)\s[^;]*);", re.MULTILINE)
_KIND = r"(?:wire|uwire|reg|logic)?\s*(?:logic)?"
_PORT = re.compile(rf"(input|output|inout)?\s*{_KIND}\s*(?:\[(.+):(.+)\])?\s*(\w+)", re.DOTALL)
_GROUP = re.compile(r"(\$clog2\s*)?\(([^()]*)\)")
_OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclass(frozen=True)
class Port:
    """A port of a module: direction ("input" or "output") and width in bits."""

    name: str
    direction: str
    width_bits: int


def declared_names(source: str) -> list[str]:
    """Return the modules, packages and interfaces that `source` declares."""
    return _MODULE.findall(_DIRECTIVE.sub("", _NOISE.sub(" ", source)))


def read_ports(source: str, module: str) -> dict[str, Port]:
    """Return the ports of `module`, in order, with the widths that its parameters' defaults give.

    Raises
    ------
    FlowError
        There is no such module, or its header has a form that is not understood.
    """
    text = _DIRECTIVE.sub("", _NOISE.sub(" ", source))
    start = re.search(rf"^\s*module\s+{module}\b", text, re.MULTILINE)
    if start is None:
        raise FlowError(f"there is no module {module} in its source")
    rest = text[start.end() :].lstrip()
    values: dict[str, int] = {}
    if rest.startswith("#"):
        parameters, rest = _bracketed(module, rest[1:].lstrip())
        for parameter in _split(parameters):
            _evaluate_parameter(parameter, values)
    body, rest = _bracketed(module, rest.lstrip())
    for parameter in _BODY_PARAMETER.findall(rest.partition("endmodule")[0]):
        _evaluate_parameter(parameter, values)
    ports: dict[str, Port] = {}
    direction, width = "", 1
    for declaration in _split(body):
        found = _PORT.fullmatch(declaration.strip())
        if found is None or not (found[1] or direction):
            raise FlowError(f"module {module}: port declaration {declaration.strip()!r} is not understood")
        if found[1]:
            # A name without direction goes on with the declaration before it: `input [7:0] a, b`.
            direction = found[1]
            width = 1
            if found[2] is not None:
                width = evaluate(found[2], values) - evaluate(found[3], values) + 1
        ports[found[4]] = Port(found[4], direction, width)
    return ports


def evaluate(expression: str, values: dict[str, int]) -> int:
    """Return the value of a constant Verilog expression of integers, names, arithmetic, comparisons, ?: and $clog2.

    Raises
    ------
    FlowError
        It is none.
    """
    inner = _GROUP.search(expression)
    if inner is not None:
        value = evaluate(inner[2], values)
        number = max(0, (value - 1).bit_length()) if inner[1] else value
        return evaluate(f"{expression[: inner.start()]} {number} {expression[inner.end() :]}", values)
    condition, question, alternatives = expression.partition("?")
    if question:
        if_true, _, if_false = alternatives.partition(":")
        return evaluate(if_true if evaluate(condition, values) else if_false, values)
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body, values)
    except (SyntaxError, KeyError, TypeError) as error:
        raise FlowError(f"cannot evaluate the Verilog expression {expression.strip()!r}") from error


def _value(node: ast.expr, values: dict[str, int]) -> int:
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return int(_OPERATORS[type(op)](_value(left, values), _value(right, values)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
    raise TypeError(ast.dump(node))


def _evaluate_parameter(parameter: str, values: dict[str, int]) -> None:
    """Add the parameter to `values`; one that is no integer (a string, say) stays out, so it may not give a width."""
    found = _PARAMETER.fullmatch(parameter.strip())
    if found is not None:
        with suppress(FlowError):
            values[found[1]] = evaluate(found[2], values)


def _bracketed(module: str, text: str) -> tuple[str, str]:
    """Return what the parenthesis at the start of `text` encloses, and what follows it."""
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            if position == 0:
                break
            return text[1:position], text[position + 1 :]
    raise FlowError(f"module {module}: its header is not understood")


def _split(text: str) -> list[str]:
    """Split at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()]
