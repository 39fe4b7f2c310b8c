"""Filling templates of generated files: every `@NAME@` is replaced by its value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from finn_flow.errors import FlowError

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")


def fill_template(template: Path, values: Mapping[str, str]) -> str:
    """Return the text of the file `template` with its placeholders replaced.

    Raises
    ------
    FlowError
        A placeholder has no value, or a value no placeholder.
    """
    return fill_text(template.read_text(encoding="utf-8"), values, template.name)


def fill_text(text: str, values: Mapping[str, str], name: str) -> str:
    """Return `text` with its placeholders replaced; `name` is the template's, for messages.

    Raises
    ------
    FlowError
        A placeholder has no value, or a value no placeholder.
    """
    differing = set(_PLACEHOLDER.findall(text)) ^ set(values)
    if differing:
        raise FlowError(
            f"{name}: placeholders and values must be the same, not differ in {', '.join(sorted(differing))}"
        )
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)
