"""The recorder for the scripts that FINN generates: stitched IP, out-of-context synthesis, ZYNQ project."""

import json
from pathlib import Path

from finn_flow.netlist.module_header import declared_names, read_ports
from tests.finn_flow.deployment.hardware.block_design import BlockDesign, Cell, split
from tests.finn_flow.deployment.hardware.ip_blocks import VivadoError
from tests.finn_flow.deployment.hardware.vivado import Vivado

COMPONENT = "component.xml"
IP_BLOCKS = {
    "zynq_ultra_ps_e": (
        {"M_AXI_HPM0_FPD", "S_AXI_HP0_FPD"},
        {"pl_clk0", "pl_resetn0", "maxihpm0_fpd_aclk", "saxihp0_fpd_aclk"},
    ),
    "clk_wiz": (set(), {"clk_in1", "resetn", "locked", "clk_out1", "clk_out2"}),
    "proc_sys_reset": (
        set(),
        {"slowest_sync_clk", "ext_reset_in", "dcm_locked", "interconnect_aresetn", "peripheral_aresetn"},
    ),
    "smartconnect": ({"S00_AXI", "S01_AXI", "M00_AXI", "M01_AXI"}, {"aclk", "aresetn"}),
    "axi_interconnect": (
        {"S00_AXI", "M00_AXI", "M01_AXI"},
        {"ACLK", "ARESETN", *(f"{port}_{pin}" for port in ("S00", "M00", "M01") for pin in ("ACLK", "ARESETN"))},
    ),
}
NOTHING_TO_DO = (
    *("update_ip_catalog", "open_project", "open_run", "save_bd_design", "reset_run", "set_param"),
    *("create_clock", "opt_design", "place_design", "route_design", "write_checkpoint"),
    *(
        f"ipx::{name}"
        for name in ("create_xgui_files", "add_file_group", "add_file", "get_file_groups", "get_files", "remove_file")
    ),
    *(f"ipx::{name}" for name in ("update_checksums", "save_core", "find_open_core", "current_core")),
    *(f"ipx::{name}" for name in ("get_bus_interfaces", "get_bus_parameters", "remove_segment", "get_address_spaces")),
)
GET_BY_NAME = ("bd_pins", "bd_intf_pins", "bd_cells", "bd_ports", "bd_intf_ports", "ports", "param", "runs")


class FinnVivado(Vivado):
    """Runs one script; `block` is the block design, of which `make_wrapper` writes Verilog."""

    def __init__(self) -> None:
        super().__init__({"CONFIG.ADDR_WIDTH": "7", "NEEDS_REFRESH": "0", "DIRECTORY": str(Path.cwd())})
        self.block = BlockDesign()
        self._name = ""
        self._declared: dict[str, Path] = {}
        self.tcl.eval("namespace eval ipx {}")
        for name in NOTHING_TO_DO:
            self.tcl.createcommand(name, self._recorded(name, lambda *_: ""))
        for name in GET_BY_NAME:
            self.tcl.createcommand(f"get_{name}", lambda *words: "" if "-filter" in words or not words else words[-1])
        for name in ("get_files", "get_ipdefs"):
            self.tcl.createcommand(name, getattr(self, f"do_{name}"))
        self.tcl.createcommand("ipx::package_project", self._recorded("ipx::package_project", self._package))
        self.tcl.eval("proc current_fileset {} { return fileset }; proc version {args} { return 2024.1 }")
        self.tcl.eval("proc get_bd_addr_segs {segment args} { return $segment }")

    # Project

    def do_create_project(self, name, folder, *options):
        super().do_create_project(name, str(Path(folder).absolute()), *options)
        (Path(folder) / f"{name}.xpr").touch()

    def do_get_files(self, *words):
        return tuple(map(str, self.files)) if words[0] == "-filter" else words[-1]

    def do_get_ipdefs(self, *words):
        found = next((word for word in words if word.startswith("xilinx.com:")), None)
        return found or f"xilinx.com:ip:{words[-1].split()[-1]}:*"

    def do_get_property(self, *words):
        name, target = words[-2:]
        if name == "VLNV":
            return target.replace("*", "1.0")
        return self.replies.get(name) or self.properties.get((target, name), "")

    def do_set_property(self, *words):
        if words[0] == "name" and words[2] in self.block.external:
            self.block.external[words[1]] = self.block.external.pop(words[2])
        elif words[0] == "-name":
            super().do_set_property(words[1], words[3], words[5])
        else:
            super().do_set_property(*words)

    def do_add_files(self, *words):
        path = Path(words[-1])
        if path in self.files:
            return
        super().do_add_files(*words)
        for module in declared_names(path.read_text()):
            other = self._declared.setdefault(module, path)
            if other != path:
                raise VivadoError(f"{module} is declared in {other} and in {path}")

    # Block design

    def do_create_bd_design(self, name):
        self._name = name

    def do_create_bd_cell(self, *words):
        options, name = dict(zip(words[:-1:2], words[1:-1:2], strict=True)), words[-1].strip("/")
        if name in self.block.cells:
            raise VivadoError(f"cell {name} exists already")
        if "-reference" in options:
            module = options["-reference"]
            if module not in self._declared:
                raise VivadoError(f"no file declares {module}")
            cell = Cell.of_module(module, read_ports(self._declared[module].read_text(), module))
        else:
            cell = self._ip(options["-vlnv"]) if "-vlnv" in options else Cell("hier")
        self.block.cells[name] = cell

    def _ip(self, vlnv: str) -> Cell:
        kind = vlnv.split(":")[2]
        if kind in IP_BLOCKS:
            interfaces, pins = IP_BLOCKS[kind]
            return Cell(kind, other=sorted(interfaces), outputs=sorted(pins))
        for folder in self._split(self.properties["project", "ip_repo_paths"]):
            component = Path(folder) / COMPONENT
            if component.is_file() and component.read_text().startswith("{"):
                value = json.loads(component.read_text())
                if value.pop("vlnv") == vlnv:
                    return Cell(kind, **value)
        raise VivadoError(f"no IP {vlnv} in the repositories")

    def do_create_bd_pin(self, *words):
        cell, pin = split(words[-1])
        found = self.block.cells[cell]
        (found.inputs if words[words.index("-dir") + 1] == "I" else found.outputs).append(pin)

    def do_create_bd_intf_pin(self, *words):
        cell, pin = split(words[-1])
        self.block.cells[cell].streams[pin] = words[words.index("-mode") + 1] == "Slave"

    def do_make_bd_pins_external(self, pin):
        self.block.make_external(self.block.pins(pin)[0])

    def do_make_bd_intf_pins_external(self, pin):
        self.block.make_external(self.block.interface(pin))

    def do_connect_bd_net(self, *pins):
        self.block.join(*(found for pin in pins for found in self.block.pins(pin)))

    def do_connect_bd_intf_net(self, *words):
        ends = [self.block.interface(word) for word in words if word not in ("-boundary_type", "upper")]
        modes = [self.block.is_slave(end) for end in ends]
        if None not in modes and modes[0] == modes[1]:
            raise VivadoError(f"{' and '.join(ends)} point the same way")
        self.block.join(*ends)

    def do_assign_bd_address(self, *words):
        if words:
            self.addresses[words[0]] = (int(words[words.index("-offset") + 1]), words[-1])

    def do_validate_bd_design(self):
        """Clock and reset of all modules must be connected, and all of what is packaged."""
        for name, cell in self.block.cells.items():
            if cell.kind in (*IP_BLOCKS, "sim_ctrl", "hier"):
                continue
            wanted = {"ap_clk", "ap_rst_n"} if cell.ports else {*cell.interfaces, *cell.inputs}
            missing = self.block.unconnected(name, wanted)
            if missing:
                raise VivadoError(f"{name} ({cell.kind}): {', '.join(missing)} unconnected")

    # Outcome

    def do_make_wrapper(self, *words):
        folder = Path(self.project["folder"]) / f"{self.project['name']}.srcs/sources_1/bd/{self._name}"
        for name, text in (
            (f"hdl/{self._name}_wrapper.v", self.block.verilog(f"{self._name}_wrapper")),
            (f"hw_handoff/{self._name}.hwh", "hand-off"),
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    def _package(self, *words):
        folder = Path(words[words.index("-root_dir") + 1])
        folder.mkdir(parents=True)
        content = {"streams": {}, "other": [], "inputs": []}
        for name, pin in self.block.external.items():
            cell, port = split(pin)
            if port in self.block.cells[cell].streams:
                content["streams"][name] = self.block.cells[cell].streams[port]
            elif name != "sim_finish":  # FINN leaves it open
                content["other" if port in self.block.cells[cell].other else "inputs"].append(name)
        write_component(folder, f"xilinx_finn:finn:{words[words.index('-module') + 1]}:1.0", **content)

    def do_launch_runs(self, *words):
        if "write_bitstream" in words:
            folder = Path(self.project["folder"]) / f"{self.project['name']}.runs/impl_1"
            folder.mkdir(parents=True)
            for name in ("top_wrapper.bit", "top_wrapper_timing_summary_routed.rpt"):
                (folder / name).write_text(name)

    def _report(self, *words):
        Path(words[words.index("-file") + 1]).write_text("<RptDoc><section/></RptDoc>\n")

    do_report_utilization = do_report_timing_summary = do_report_power = _report


def write_component(folder: Path, vlnv: str, streams: dict[str, bool], other: list[str], inputs: list[str]) -> None:
    """Write what the catalogue of an IP repository is read from; JSON here."""
    content = {"vlnv": vlnv, "streams": streams, "other": other, "inputs": inputs}
    (folder / COMPONENT).write_text(json.dumps(content))
