"""Imports go one way: down the floors that docs/architecture.md lists, and never in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import networkx
import pytest

from tests.places import ROOT

PACKAGES = ("benchmarks", "brevitas_models", "custom_ops", "finn_flow")


def read_floors(text: str) -> dict[str, int]:
    """Return the number of each package's or module's floor, counted from the bottom."""
    block = re.search(r"```floors\n(.*?)```", text, re.DOTALL)
    assert block is not None
    lines = block[1].strip().splitlines()
    return {name: floor for floor, line in enumerate(reversed(lines)) for name in line.split()}


def modules(root: Path) -> dict[str, Path]:
    """Return the project's files by module name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found | {path.stem: path for path in root.glob("*.py")}


def imported(source: str, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield the project's modules that a source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in known else node.module


def floor_of(module: str, floors: Mapping[str, int]) -> int:
    """Return the floor of a module: that of the longest name in the list that it begins with."""
    parts = module.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next(floors[name] for name in names if name in floors)


def faults(root: Path, floors: Mapping[str, int]) -> list[str]:
    """Return a line for each import from a floor above and for each circle."""
    known = modules(root)
    arrows = {(name, other) for name, path in known.items() for other in imported(path.read_text(), known)}
    found = [
        f"{name} imports {other} from a floor above"
        for name, other in sorted(arrows)
        if floor_of(other, floors) > floor_of(name, floors)
    ]
    circles = networkx.strongly_connected_components(networkx.DiGraph(list(arrows)))
    return found + [f"a circle: {', '.join(sorted(circle))}" for circle in circles if len(circle) > 1]


def test_nothing_imports_from_above_or_in_a_circle() -> None:
    assert faults(ROOT, read_floors((ROOT / "docs" / "architecture.md").read_text())) == []


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    return tmp_path


FLOORS = {"benchmarks": 3, "finn_flow": 2, "brevitas_models": 1, "custom_ops": 0}


def test_an_import_from_above_is_found(small_house: Path) -> None:
    (small_house / "custom_ops" / "a.py").write_text("def f():\n    from finn_flow import b\n")
    (small_house / "finn_flow" / "b.py").touch()
    assert faults(small_house, FLOORS) == ["custom_ops.a imports finn_flow.b from a floor above"]


def test_a_circle_is_found(small_house: Path) -> None:
    (small_house / "finn_flow" / "a.py").write_text("from finn_flow.b import x\n")
    (small_house / "finn_flow" / "b.py").write_text("import finn_flow.a\n")
    assert faults(small_house, FLOORS) == ["a circle: finn_flow.a, finn_flow.b"]


def test_the_list_names_only_what_exists() -> None:
    assert set(read_floors((ROOT / "docs" / "architecture.md").read_text())) <= set(modules(ROOT))
