"""The eight names of `finn.xsi`, on Verilator.

`ensure_finn` binds them; then `exec_mode="rtlsim"` of FINN's RTL nodes runs here instead of in Vivado's simulator.
Only AXI4-Streams are driven; AXI-Lite inputs stay 0.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from finn_flow.errors import FlowError
from finn_flow.finn_adapter.rtllib_patches import patch_for_verilator
from finn_flow.verilator.build import compile_design, inspect_ports
from finn_flow.verilator.design import Design, StreamPort
from finn_flow.verilator.errors import SimulationBuildError
from finn_flow.verilator.model import Simulation
from finn_flow.verilator.ports import VerilatedPort
from finn_flow.verilator.run import run_plans, stream_plan
from finn_flow.verilator.sources import HEADER_SUFFIXES
from finn_flow.verilator.stall import Stall
from finn_flow.verilator.words import Words

NAMES = (
    "SimEngine",
    "locate_glbl",
    "compile_sim_obj",
    "get_simkernel_so",
    "load_sim_obj",
    "reset_rtlsim",
    "close_rtlsim",
    "rtlsim_multi_io",
)
_CLOCK2X = "ap_clk2x"
_HDL_SUFFIXES = (".v", ".sv", *HEADER_SUFFIXES)


class SimEngine:
    """An opened simulation, as FINN passes it from `load_sim_obj` to the other functions."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation: Simulation | None = simulation
        self.ticks = 0

    @property
    def simulation(self) -> Simulation:
        """The simulation behind it.

        Raises
        ------
        FlowError
            It has been closed.
        """
        if self._simulation is None:
            raise FlowError("the RTL simulation has been closed; load it again")
        return self._simulation

    def is_open(self) -> bool:
        """Whether it can still run."""
        return self._simulation is not None

    def close(self) -> None:
        """Finish the waveform and free the model; may be called again."""
        if self._simulation is not None:
            self._simulation.close()
            self._simulation = None


def locate_glbl() -> None:
    """Vivado's `glbl.v`, which is not needed here."""


def get_simkernel_so() -> str:
    """Name of the simulator in use."""
    return "verilator"


def compile_sim_obj(
    top_module_name: str,
    source_list: list[str],
    sim_out_dir: Path,
    debug: bool = False,
    behav: bool = False,
    fifosim: bool = False,
) -> tuple[Path, Path]:
    """Build the simulation of a node or a stitched design.

    The sources are copied to `sim_out_dir`, absolute paths of their own folders (for `$readmemh`) made relative,
    so that equal designs of different build folders share one build in the cache.

    Returns
    -------
    tuple[Path, Path]
        `sim_out_dir`, and in it the path of the description that `load_sim_obj` opens.

    Raises
    ------
    SimulationBuildError
        Verilator or the compiler refused the design, or it has VHDL sources.
    UserError
        A source cannot be read.
    """
    top = "finn_design_wrapper" if fifosim else top_module_name
    folder = Path(sim_out_dir)
    defines = {"FINN_SIMULATION": ""} if behav else {}
    sources, data_dirs = _copy_sources([Path(source) for source in source_list], folder / "src")
    ports = inspect_ports(top, sources, defines, patch_for_verilator)
    description = {
        "top": top,
        "sources": [str(path) for path in sources],
        "data_dirs": [str(path) for path in data_dirs],
        "defines": defines,
        "inputs": _stream_widths(ports, is_input=True),
        "outputs": _stream_widths(ports, is_input=False),
        "clock2x": _CLOCK2X if _CLOCK2X in ports else None,
    }
    compile_design(_design(description), trace=debug)
    relative = Path("xsim.dir") / top_module_name / "xsimk.so"
    (folder / relative).parent.mkdir(parents=True, exist_ok=True)
    (folder / relative).write_text(json.dumps(description, indent=2))
    return folder, relative


def load_sim_obj(
    sim_out_dir: Path, out_so_relative_path: Path, tracefile: str | None = None, simkernel_so: str | None = None
) -> SimEngine:
    """Open what `compile_sim_obj` made; `tracefile` (in `sim_out_dir` unless absolute) becomes a VCD file."""
    folder = Path(sim_out_dir)
    design = _design(json.loads((folder / out_so_relative_path).read_text()))
    trace = (folder / tracefile).with_suffix(".vcd").absolute() if tracefile else None
    return SimEngine(Simulation(design, trace))


def reset_rtlsim(
    sim: SimEngine,
    rst_name: str = "ap_rst_n",
    active_low: bool = True,
    clk_name: str = "ap_clk",
    clk2x_name: str = _CLOCK2X,
    n_cycles: int = 16,
) -> None:
    """Hold reset for `n_cycles` cycles; FINN's names of clock and reset are fixed."""
    sim.simulation.reset(n_cycles)
    sim.ticks += n_cycles


def close_rtlsim(sim: SimEngine) -> None:
    """Finish and free a simulation."""
    sim.close()


def rtlsim_multi_io(
    sim: SimEngine,
    io_dict: dict[str, dict[str, list[int]]],
    num_out_values: int | np.integer | dict[str, int | np.integer],
    sname: str = "_V_V",
    liveness_threshold: int = 10000,
    liveness_estimate: int | float | None = None,
) -> int:
    """Send the words in `io_dict["inputs"]`, and put those that come out into `io_dict["outputs"]`.

    Parameters
    ----------
    io_dict
        Words as unsigned integers, by stream name without `sname`.
    num_out_values
        Words to expect, of the only output or by name.
    liveness_threshold
        Cycles without any transfer after which the design hangs.

    Returns
    -------
    int
        Cycles from the start to the last transfer.

    Raises
    ------
    SimulationHang
        Nothing moves any more.
    SimulationError
        The RTL reported an error.
    """
    simulation = sim.simulation
    design = simulation.design
    if isinstance(num_out_values, dict):
        counts = {f"{name}{sname}": int(count) for name, count in num_out_values.items()}
    else:
        counts = {f"{name}{sname}": int(num_out_values) for name in io_dict["outputs"]}
    words = {f"{name}{sname}": values for name, values in io_dict["inputs"].items()}
    streams = {stream.name for stream in (*design.inputs, *design.outputs)}
    unknown = (set(words) | set(counts)) - streams
    if unknown:
        raise FlowError(f"{design.top} has no stream {', '.join(sorted(unknown))}; it has {', '.join(sorted(streams))}")
    plans = {port.name: stream_plan(_to_words(words.get(port.name, []), port.word_bytes)) for port in design.inputs}
    plans |= {
        port.name: stream_plan(np.zeros((counts.get(port.name, 0), port.word_bytes), np.uint8))
        for port in design.outputs
    }
    simulation.start(plans, Stall.none())
    run_plans(simulation, plans, max_idle_cycles=liveness_threshold)
    for name in io_dict["outputs"]:
        io_dict["outputs"][name] = [int.from_bytes(row, "little") for row in plans[f"{name}{sname}"].words]
    sim.ticks += simulation.cycle
    return simulation.cycle


def _to_words(values: Iterable[int], word_bytes: int) -> Words:
    """Unsigned integers as stream words [n, word_bytes]."""
    data = b"".join(int(value).to_bytes(word_bytes, "little") for value in values)
    return np.frombuffer(data, np.uint8).reshape(-1, word_bytes)


def _copy_sources(sources: list[Path], folder: Path) -> tuple[list[Path], list[Path]]:
    """Copy the sources to `folder`, paths into their own folders made relative; also return these folders."""
    others = [path.name for path in sources if path.suffix not in _HDL_SUFFIXES]
    if others:
        raise SimulationBuildError(f"Verilator reads Verilog and SystemVerilog, not {', '.join(others)}")
    folder.mkdir(parents=True, exist_ok=True)
    parents = sorted({form for path in sources for form in (path.absolute().parent, path.resolve().parent)})
    data_dirs: list[Path] = []
    copies: list[Path] = []
    for index, source in enumerate(dict.fromkeys(sources)):
        text = source.read_text(errors="replace")
        for parent in parents:
            if f'"{parent}/' in text:
                text = text.replace(f'"{parent}/', '"./')
                data_dirs.append(parent)
        copy = folder / str(index) / source.name
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(text)
        copies.append(copy)
    return copies, list(dict.fromkeys(data_dirs))


def _stream_widths(ports: dict[str, VerilatedPort], is_input: bool) -> dict[str, tuple[int, str]]:
    """Width and TDATA port of each stream in one direction, by name."""
    return {
        name[: -len("_tdata")]: (port.width_bits, name)
        for name, port in ports.items()
        if name.lower().endswith("_tdata") and port.is_input == is_input
    }


def _design(description: dict) -> Design:
    """Return the design that a description stands for."""

    def streams(widths: dict[str, tuple[int, str]]) -> list[StreamPort]:
        return [
            StreamPort(name, bits, tdata, *(f"{name}_{_case(tdata, signal)}" for signal in ("tvalid", "tready")))
            for name, (bits, tdata) in widths.items()
        ]

    return Design(
        top=description["top"],
        sources=[Path(path) for path in description["sources"]],
        inputs=streams(description["inputs"]),
        outputs=streams(description["outputs"]),
        defines=description["defines"],
        data_files=[Path(path) for path in description["data_dirs"]],
        clock2x=description["clock2x"],
        patch=patch_for_verilator,
    )


def _case(model: str, signal: str) -> str:
    """`signal` in upper case where the TDATA port is."""
    return signal.upper() if model.endswith("TDATA") else signal
