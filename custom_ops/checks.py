"""Checks of node attributes; each raises `UserError` that names the node, the condition and the value found."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType

from finn_flow.errors import FlowError, UserError


def alternatives(values: Iterable[object]) -> str:
    """Return `values` as an English list, such as "1, 2, 4 or 8"."""
    words = [str(value) for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def check_divides(node: str, name: str, value: int, whole_name: str, whole: int) -> None:
    """Require that attribute `name` divides `whole_name`.

    Raises
    ------
    UserError
        Names the legal values.
    """
    if value < 1 or whole % value:
        legal = [n for n in range(1, whole + 1) if whole % n == 0]
        raise UserError(
            f"{node}: {name} must divide {whole_name}, not {name}={value} with {whole_name}={whole}; "
            f"use {alternatives(legal)}"
        )


def check_one_of(node: str, name: str, value: object, legal: Iterable[object]) -> None:
    """Require that attribute `name` has one of the values `legal`."""
    legal = list(legal)
    if value not in legal:
        raise UserError(f"{node}: {name} must be {alternatives(legal)}, not {value}")


def check_at_least(node: str, name: str, value: int, minimum: int, why: str = "") -> None:
    """Require that attribute `name` is at least `minimum`; `why` is put in brackets behind the message."""
    if value < minimum:
        reason = f" ({why})" if why else ""
        raise UserError(f"{node}: {name} must be at least {minimum}, not {value}{reason}")


def check_length(node: str, name: str, values: list[int], length: int) -> None:
    """Require that the list attribute `name` has `length` positive entries."""
    if len(values) != length or min(values) < 1:
        raise UserError(f"{node}: {name} must be {length} positive numbers, not {values}")


def check_integer(
    node: str, name: str, datatype: BaseDataType, bits: tuple[int, int], signed: bool | None = None
) -> None:
    """Require a plain integer type of a width in the closed range `bits` (and of sign `signed`, unless None)."""
    kind = {None: "an integer", True: "a signed integer", False: "an unsigned integer"}[signed]
    plain = datatype.is_integer() and datatype.get_canonical_name().startswith(("INT", "UINT", "BINARY"))
    if not plain or not bits[0] <= datatype.bitwidth() <= bits[1] or signed not in (None, datatype.signed()):
        raise UserError(f"{node}: {name} must be {kind} type of {bits[0]} to {bits[1]} bits, not {datatype.name}")


def to_integers(node: str, what: str, values: NDArray, datatype: BaseDataType) -> NDArray[np.int64]:
    """Return `values` as int64.

    Raises
    ------
    FlowError
        A value is no integer or outside the range of `datatype`, so that hardware would hold something else.
    """
    integers = np.rint(values).astype(np.int64)
    wrong = (integers != values) | (integers < int(datatype.min())) | (integers > int(datatype.max()))
    if np.any(wrong):
        raise FlowError(
            f"{node}: {what} holds {values[wrong].flat[0]} (and {np.count_nonzero(wrong) - 1} more such values), "
            f"which {datatype.name} cannot hold"
        )
    return integers
