"""A recorder of Vivado's commands under a real Tcl interpreter, strict about what it has not seen created."""

import re
import shlex
import tkinter
from pathlib import Path

from tests.finn_flow.deployment.hardware.ip_blocks import BLOCKS, VivadoError, check_processing_system, check_wizard

NEWEST = "1.10"
"""Version of every IP; 1.9 is there, too, and comes after it in the alphabet."""
_OUTPUTS = re.compile(r"pl_\w+|clk_out\d|locked|mb_reset|bus_struct_reset|peripheral_\w+|interconnect_\w+|aux_reset_in")
"""Pins that need no driver."""
_MEMORY_MAPPED = ("awvalid", "arvalid")


class Vivado:
    """Runs a script.

    Parameters
    ----------
    replies
        What `get_property NAME` answers, by name.
    has_board
        Whether the board's files are installed.
    """

    def __init__(self, replies: dict[str, str] | None = None, has_board: bool = True) -> None:
        self.replies = {
            "PROGRESS": "100%",
            "STATS.WNS": "0.1",
            "STATS.WHS": "0.01",
            "STATS.TPWS": "0",
            **(replies or {}),
        }
        self.has_board = has_board
        self.project: dict[str, str] = {}
        self.files: list[Path] = []
        self.constraints: list[Path] = []
        self.file_types: dict[str, str] = {}
        self.properties: dict[tuple[str, str], str] = {}
        self.cells: dict[str, str] = {}
        self.interfaces: list[tuple[str, str]] = []
        self.nets: dict[str, set[str]] = {}
        self.addresses: dict[str, tuple[int, str]] = {}
        self.commands: list[str] = []
        self.failure: Exception | None = None
        self.tcl = tkinter.Tcl()
        for name in dir(self):
            if name.startswith("do_"):
                self.tcl.createcommand(name[3:], self._recorded(name[3:], getattr(self, name)))
        # What asks for objects gives their names back.
        for name in ("files", "filesets", "runs", "bd_cells", "bd_pins", "bd_intf_pins", "bd_addr_segs"):
            self.tcl.eval(f"proc get_{name} {{names}} {{ return $names }}")
        self.tcl.eval("proc current_project {} { return project }")

    def run(self, script: Path) -> None:
        """Execute the script as `vivado -mode batch -source script` would."""
        try:
            self.tcl.eval(f"source {{{script}}}")
        except tkinter.TclError:
            # The interpreter does not pass on what a command in Python raises.
            if self.failure is not None:
                raise self.failure from None
            raise

    def _recorded(self, name, function):
        def call(*arguments):
            self.commands.append(shlex.join([name, *map(str, arguments)]))
            try:
                return function(*map(str, arguments)) or ""
            except Exception as error:
                self.failure = error
                raise

        return call

    def _split(self, text: str) -> list[str]:
        return [str(part) for part in self.tcl.splitlist(text)]

    def do_create_project(self, name, folder, *options):
        self.project = {"name": name, "folder": folder, "part": options[options.index("-part") + 1]}

    def do_get_board_parts(self, *arguments):
        return arguments[-1] if self.has_board else ""

    def do_add_files(self, *arguments):
        target = self.constraints if "-fileset" in arguments else self.files
        for name in self._split(arguments[-1]):
            if not Path(name).is_file():
                raise VivadoError(f"add_files: {name} does not exist")
            target.append(Path(name))

    def do_set_property(self, *arguments):
        if arguments[0] == "-dict":
            pairs = self._split(arguments[1])
            values = dict(zip(pairs[::2], pairs[1::2], strict=True))
        else:
            values = {arguments[0]: arguments[1]}
        for target in self._split(arguments[-1]):
            for name, value in values.items():
                kind = self.cells.get(target, "")
                if kind in BLOCKS and name.removeprefix("CONFIG.") not in BLOCKS[kind].parameters:
                    raise VivadoError(f"{target} ({kind}) has no parameter {name}")
                self.properties[target, name] = value
                if name == "file_type":
                    self.file_types[target] = value

    def do_get_property(self, name, target):
        return target if name == "VLNV" else self.replies[name]

    def do_get_ipdefs(self, *arguments):
        kind = arguments[1].split(":")[2]
        return tuple(f"xilinx.com:ip:{kind}:{version}" for version in ("1.9", NEWEST, "1.8")) if kind in BLOCKS else ""

    def do_create_bd_cell(self, *arguments):
        options = dict(zip(arguments[:-1:2], arguments[1:-1:2], strict=True))
        kind = options.get("-reference") or options["-vlnv"].split(":")[2]
        if arguments[-1] in self.cells:
            raise VivadoError(f"cell {arguments[-1]} exists already")
        if "-vlnv" in options and options["-vlnv"] != f"xilinx.com:ip:{kind}:{NEWEST}":
            raise VivadoError(f"{options['-vlnv']} is not the newest IP")
        self.cells[arguments[-1]] = kind

    def do_connect_bd_intf_net(self, first, second):
        for pin in (first, second):
            self._check(pin, 0)
            if any(pin in pair for pair in self.interfaces):
                raise VivadoError(f"{pin} is connected already")
        self.interfaces.append((first, second))

    def do_connect_bd_net(self, driver, *sinks):
        for pin in (driver, *sinks):
            self._check(pin, 1)
        for sink in sinks:
            if any(sink in others for others in self.nets.values()):
                raise VivadoError(f"{sink} has a driver already")
            self.nets.setdefault(driver, set()).add(sink)

    def do_assign_bd_address(self, *arguments):
        if arguments:
            options = dict(zip(arguments[:-1:2], arguments[1:-1:2], strict=True))
            self.addresses[arguments[-1]] = (int(options["-offset"], 0), options["-range"])

    def do_open_run(self, name): ...
    def do_set_msg_config(self, *arguments): ...
    def do_update_compile_order(self, *arguments): ...
    def do_create_bd_design(self, name): ...
    def do_apply_bd_automation(self, *arguments): ...
    def do_set_param(self, *arguments): ...
    def do_save_bd_design(self): ...
    def do_make_wrapper(self, *arguments): ...
    def do_wait_on_run(self, name): ...
    def do_report_timing_summary(self, *arguments): ...
    def do_report_utilization(self, *arguments): ...
    def do_close_project(self): ...

    def do_launch_runs(self, *arguments):
        folder = Path(self.project["folder"])
        for name in ("dsode.runs/impl_1/system_wrapper.bit", "dsode.gen/sources_1/bd/system/hw_handoff/system.hwh"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(Path(name).suffix)

    def do_validate_bd_design(self):
        """What Vivado checks: configurations, open interfaces and pins, and one clock at both ends of an interface."""
        drivers = {sink: driver for driver, sinks in self.nets.items() for sink in sinks}
        joined = {pin for pair in self.interfaces for pin in pair}
        outputs = set(self.nets)
        for cell, kind in self.cells.items():
            interfaces, pins = self.ports(cell)
            open_ends = {f"{cell}/{name}" for name in interfaces} - joined
            open_ends |= {f"{cell}/{name}" for name in pins if _is_input(kind, name)} - set(drivers) - outputs
            if open_ends:
                raise VivadoError(f"nothing is connected to {', '.join(sorted(open_ends))}")
            if kind == "clk_wiz":
                check_wizard(self.config(cell), drivers[f"{cell}/clk_in1"])
            if kind == "zynq_ultra_ps_e":
                check_processing_system(self.config(cell))
        for pair in self.interfaces:
            clocks = {drivers[self._clock_of(pin)] for pin in pair}
            if len(clocks) != 1:
                raise VivadoError(f"[BD 41-237] {' and '.join(pair)} have the clocks {', '.join(sorted(clocks))}")

    def _clock_of(self, interface: str) -> str:
        cell, _, name = interface.partition("/")
        kind = self.cells[cell]
        return f"{cell}/{BLOCKS[kind].clocks(name) if kind in BLOCKS else 'ap_clk'}"

    def config(self, cell: str) -> dict[str, str]:
        """Return the parameters of a cell that were set."""
        return {
            name.removeprefix("CONFIG."): value for (target, name), value in self.properties.items() if target == cell
        }

    def ports(self, cell: str) -> tuple[set[str], set[str]]:
        """Interfaces and other pins of a cell; of a module, those that Vivado infers from its ports' names."""
        kind = self.cells[cell]
        if kind in BLOCKS:
            return BLOCKS[kind].interfaces(self.config(cell)), BLOCKS[kind].pins(self.config(cell))
        source = next(path for path in self.files if path.suffix == ".v" and path.stem == kind)
        header = source.read_text().split(");", 1)[0]
        names = re.findall(r"^\s*(?:input|output)\s+wire\s+(?:\[[^\]]*\]\s*)?(\w+)", header, re.M)
        found, pins = set(), set()
        for name in names:
            prefix, _, signal = name.rpartition("_")
            if name.startswith("ap_"):
                pins.add(name)
            elif signal.lower() in ("tvalid", *_MEMORY_MAPPED):
                found.add(prefix)
        strange = [name for name in names if name not in pins and name.rpartition("_")[0] not in found]
        if strange:
            raise VivadoError(f"{kind}: no interface for {strange}")
        return found, pins

    def _check(self, pin: str, index: int) -> None:
        cell, _, name = pin.partition("/")
        if cell not in self.cells or name not in self.ports(cell)[index]:
            raise VivadoError(f"no pin {pin}")


def _is_input(kind: str, pin: str) -> bool:
    return kind not in BLOCKS or not _OUTPUTS.fullmatch(pin)
