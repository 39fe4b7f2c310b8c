"""A hook of MkDocs: tables of keys in place of `<!-- schema: NAME -->`."""

from __future__ import annotations

import json
import re
from typing import Any

from finn_flow.schemas import schemas
from finn_flow.tables import Table


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page with its schemas as tables."""
    if "<!-- schema:" not in markdown:
        return markdown
    known = schemas()
    return re.sub(r"<!-- schema: (\w+) -->", lambda match: _table(match[1], known[match[1]]), markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Return a page without what the table of options calls the default of an option that has none."""
    return html.replace("Sentinel.UNSET", "")


def _table(name: str, schema: dict[str, Any]) -> str:
    rows = [
        (f"`{key}`", _kind(value), "required" if key in schema.get("required", []) else _default(value))
        for key, value in schema["properties"].items()
    ]
    return Table(f"{name}", ("key", "value", "default"), rows).to_markdown().replace("<", "&lt;")


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return value["$ref"].rpartition("/")[2]
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"] if one is not None)
    if "anyOf" in value:
        return " or ".join(_kind(one) for one in value["anyOf"])
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {})) or 'values'}"
    kind = value.get("type", "")
    bounds = [f"{sign} {value[key]}" for key, sign in _BOUNDS.items() if key in value]
    return " ".join([kind if isinstance(kind, str) else " or ".join(kind), ", ".join(bounds)]).strip()


_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "below"}


def _default(value: dict[str, Any]) -> str:
    return f"`{json.dumps(value['default'])}`" if "default" in value else ""
