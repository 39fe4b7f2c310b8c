"""Generating the RTL of single nodes and collecting its files without any trace of where they were generated."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from finn.util.settings import get_settings
from qonnx.core.modelwrapper import ModelWrapper

import custom_ops
from finn_flow.errors import FlowError
from finn_flow.finn_adapter.rtllib_patches import patch_for_verilator
from finn_flow.netlist.block_design import BlockDesign, interpret
from finn_flow.netlist.module_header import Port, declared_names, read_ports

LIBRARY = "lib"
NODES = "nodes"
DATA = "data"
_MEMORY_SUFFIX = ".dat"


@dataclass
class SourceFiles:
    """The files of a netlist by their path relative to its folder.

    Library files stand under `lib/` (FINN's with the patches that Verilator needs, so that what is simulated is what is
    synthesised), generated ones under `nodes/`, memory files, which `$readmemh` names without any folder, in `data/`.
    """

    sources: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    _declared: dict[str, str] = field(default_factory=dict)
    _ports: dict[str, dict[str, Port]] = field(default_factory=dict)

    def add_source(self, path: str, text: str) -> None:
        """Add a source file; adding it again is fine, if nothing has changed.

        Raises
        ------
        FlowError
            Another file has this path, or declares a module of the same name.
        """
        if self.sources.setdefault(path, text) != text:
            raise FlowError(f"two different source files would be called {path}")
        for name in declared_names(text):
            other = self._declared.setdefault(name, path)
            if other != path:
                raise FlowError(f"module {name} is declared in {other} and in {path}; rename a node")

    def add_data(self, name: str, text: str) -> None:
        """Add a memory file.

        Raises
        ------
        FlowError
            Another one has this name.
        """
        if self.data.setdefault(name, text) != text:
            raise FlowError(f"two different memory files would be called {name}")

    def ports(self, module: str) -> dict[str, Port]:
        """Return the ports of a module of these files."""
        if module not in self._ports:
            if module not in self._declared:
                raise FlowError(f"no source file declares module {module}")
            self._ports[module] = read_ports(self.sources[self._declared[module]], module)
        return self._ports[module]

    def ordered_sources(self) -> list[str]:
        """Return the paths: packages first (those that import others last), then the library, then the nodes."""
        packages = {path for path, text in self.sources.items() if re.search(r"^\s*package\s", text, re.MULTILINE)}

        def rank(path: str) -> tuple[bool, bool, int, str]:
            kinds = (LIBRARY, NODES)
            folder = path.split("/")[0]
            importing = path in packages and "import " in self.sources[path]
            return path not in packages, importing, kinds.index(folder) if folder in kinds else len(kinds), path

        return sorted(self.sources, key=rank)


@dataclass(frozen=True)
class NodeGenerator:
    """Generates nodes into `folder`, a temporary one, for a device and a clock period, and collects into `files`.

    Memory files are named without a folder in the sources, or with `data_prefix` in front.
    """

    folder: Path
    fpgapart: str
    clk_ns: float
    files: SourceFiles
    data_prefix: str = ""

    @cached_property
    def _libraries(self) -> dict[str, Path]:
        return {
            "finn-rtllib": Path(get_settings().finn_rtllib).resolve(),
            "custom_ops": Path(custom_ops.__file__).parent.resolve(),
        }

    def generate(self, model: ModelWrapper, op: Any) -> BlockDesign:
        """Generate one node and return what it consists of.

        Raises
        ------
        FlowError
            Its description has something unexpected in it, or its files name the folder they are in.
        """
        name = op.onnx_node.name
        place = self.folder / name
        place.mkdir()
        op.set_nodeattr("code_gen_dir_ipgen", str(place))
        op.code_generation_ipgen(model, self.fpgapart, self.clk_ns)
        design = interpret(name, op.code_generation_ipi())
        self.add(name, place, design.files)
        return design

    def add(self, name: str, place: Path, sources: Iterable[Path]) -> None:
        """Collect the source files `sources` of node `name`, and the memory files in its folder `place`."""
        for source in sources:
            path = source.resolve()
            if path.is_relative_to(place.resolve()):
                text = patch_for_verilator(path.name, path.read_text())
                self.files.add_source(f"{NODES}/{path.name}", self._relocated(name, place, text))
            else:
                self._add_library_file(name, path)
        for memory in sorted(place.glob(f"*{_MEMORY_SUFFIX}")):
            self.files.add_data(self._memory_name(name, memory), memory.read_text())

    def _add_library_file(self, name: str, path: Path) -> None:
        for library, root in self._libraries.items():
            if path.is_relative_to(root):
                text = patch_for_verilator(path.name, path.read_text())
                self.files.add_source(f"{LIBRARY}/{library}/{path.relative_to(root)}", text)
                return
        raise FlowError(f"{name}: source file {path} is neither generated nor in a known library")

    def _relocated(self, name: str, place: Path, text: str) -> str:
        """Return the text of a generated file with its memory files named as they will be."""
        for memory in place.glob(f"*{_MEMORY_SUFFIX}"):
            text = text.replace(f'"{memory}"', f'"{self.data_prefix}{self._memory_name(name, memory)}"')
        text = text.replace(f"{place}/", self.data_prefix).replace('"./', f'"{self.data_prefix}')
        if str(self.folder) in text:
            raise FlowError(f"{name}: a generated file names the folder in which it was generated")
        return text

    def library_path(self, path: str) -> Path | None:
        """Return where the library file that is called `path` in the netlist has come from; None for other files."""
        parts = path.split("/", 2)
        return self._libraries[parts[1]] / parts[2] if parts[0] == LIBRARY else None

    @staticmethod
    def _memory_name(name: str, memory: Path) -> str:
        """Return a name that is unique in the netlist: FINN calls some files of every node the same."""
        return memory.name if memory.name.startswith(f"{name}_") else f"{name}_{memory.name}"
