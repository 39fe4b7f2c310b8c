"""Small mapped netlists, as Yosys writes them, to be added up by hand."""

from typing import Any

_OUTPUTS = {"Q", "O"}


def cell(kind: str, **pins: int | str) -> dict[str, Any]:
    """Return a cell with one net, or the constant "0", at each pin."""
    directions = {pin: "output" if pin in _OUTPUTS else "input" for pin in pins}
    return {
        "type": kind,
        "parameters": {},
        "port_directions": directions,
        "connections": {pin: [net] for pin, net in pins.items()},
    }


def module(cells: dict[str, dict[str, Any]], names: dict[str, int], **ports: tuple[str, int]) -> dict[str, Any]:
    """Return a module: names of nets, and ports as (direction, net)."""
    return {
        "cells": cells,
        "ports": {name: {"direction": direction, "bits": [net]} for name, (direction, net) in ports.items()},
        "netnames": {name: {"hide_name": 0, "bits": [net]} for name, net in names.items()},
    }
