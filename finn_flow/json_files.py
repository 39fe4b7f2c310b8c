"""Reading JSON files, with one line that names the file where one is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from finn_flow.errors import UserError


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises
    ------
    UserError
        It cannot be read, or is no JSON; the message names the file and the line of a mistake.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not a JSON file: {error}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    UserError
        As `read_json`, or the file holds something else than an object.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise UserError(f"{path}: must hold a JSON object, not {type(value).__name__}")
    return value


def read_json_object_if_there(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None where there is no such file; errors as `read_json_object`."""
    return read_json_object(path) if path.is_file() else None
