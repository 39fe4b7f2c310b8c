"""`build`: a QONNX model through the FINN flow, to reports and a netlist."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finn_flow.api.exporting import DEFAULT_SAMPLES, ExportedModel
from finn_flow.api.result import Result
from finn_flow.build_folder import BuildFolder
from finn_flow.configurations import BUILDS, configuration
from finn_flow.errors import UserError
from finn_flow.json_files import read_json_object
from finn_flow.progress import Progress, unheard
from finn_flow.tables import Table

FINN_CONFIGURATION, FINN_MODEL = "dataflow_build_config.json", "model.onnx"
"""What a folder holds by FINN's convention."""


@dataclass(frozen=True)
class Build(Result):
    """A build.

    Parameters
    ----------
    folder
        Holds the reports, and the netlist if the configuration goes that far.
    estimates
        Cycles and resources of each node, each loop and the network: the content of `report/estimates.json`.
    left_out
        Outputs that were left out for want of Vivado.
    """

    folder: Path
    estimates: dict[str, Any]
    left_out: tuple[str, ...] = ()

    @classmethod
    def open(cls, folder: str | Path) -> Build:
        """Return the build that is in `folder`.

        Raises
        ------
        UserError
            There is none, or its estimates are damaged.
        """
        place = BuildFolder(Path(folder)).existing()
        return cls(place.root, read_json_object(place.estimates))

    @property
    def cycles_per_frame(self) -> int:
        """Estimated cycles per frame."""
        return int(self.estimates["network"]["cycles_per_frame"])

    @property
    def frames_per_second(self) -> float:
        """Estimated frames per second at the configured clock."""
        return float(self.estimates["network"]["frames_per_second"])

    @property
    def has_netlist(self) -> bool:
        """Whether it goes as far as the netlist, which simulation, synthesis and packages need."""
        return BuildFolder(self.folder).netlist.is_dir()

    def tables(self) -> tuple[Table, ...]:
        """Return cycles per node, loops and resources."""
        loops = self._loops()
        return (self._nodes(), *([loops] if loops.rows else []), self._resources())

    def _nodes(self) -> Table:
        rows = []
        for node in self.estimates["nodes"]:
            folding = " ".join(f"{name}={value}" for name, value in node["folding"].items())
            cycles = (node["cycles_per_pass"], node["iterations"], node["cycles_per_frame"])
            rows.append((("  " if node["loop"] else "") + node["name"], folding, *cycles))
        return Table("Estimated cycles", ("node", "folding", "cycles per pass", "passes", "cycles per frame"), rows)

    def _loops(self) -> Table:
        columns = ("loop", "passes", "bodies", "body II", "cycles per frame", "feedback FIFO, bits", "limited by")
        cycles = ("body_ii_cycles", "cycles_per_frame", "feedback_fifo_bits")
        keys = ("name", "iterations", "bodies", *cycles, "limited_by")
        return Table("ODE loops", columns, [tuple(loop.get(key) for key in keys) for loop in self.estimates["loops"]])

    def _resources(self) -> Table:
        rows = [
            (name, row["estimated"], row["available"], f"{row['percent']} %")
            for name, row in self.estimates["resources"].items()
        ]
        return Table("Estimated resources", ("resource", "estimated", "on the board", "share"), rows)

    def lines(self) -> tuple[str, ...]:
        """Return rate, whether it fits, and what was left out."""
        network, resources = self.estimates["network"], self.estimates["resources"]
        lines = [
            f"{network['cycles_per_frame']:,} cycles per frame (limited by {network['limited_by']}): "
            f"{network['frames_per_second']:,.0f} frames/s at {network['clock_mhz']:g} MHz, estimated."
        ]
        beyond = [f"{row['percent']} % of its {name}" for name, row in resources.items() if row["percent"] > 100]
        if beyond:
            lines.append(f"It does not fit on the board: it would take {', '.join(beyond)}.")
        if not self.has_netlist:
            lines.append("It ends with the estimates; build with zcu104 for a netlist to simulate and to package.")
        elif self.left_out:
            left_out = ", ".join(self.left_out)
            lines.append(
                f"Left out for want of Vivado: {left_out}. `dsode package` writes a script that makes the bitfile."
            )
        return tuple(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the folder, what was left out, and the estimates."""
        return {"folder": str(self.folder), "left_out": list(self.left_out), **self.estimates}


def build(
    config: str | Path,
    model: ExportedModel | str | Path | None = None,
    out: str | Path | None = None,
    progress: Progress = unheard,
) -> Build:
    """Run the steps of a FINN build configuration on a QONNX model; without Vivado up to the first that needs it.

    Every form of the model that a step makes is compared with the one that was given, in integers.

    Parameters
    ----------
    config
        A JSON or YAML file, the name of a configuration that ships (`zcu104`), or a folder by FINN's convention, with
        `dataflow_build_config.json` and `model.onnx`.
    model
        A QONNX file, or `zoo:NAME`, which is exported into the build's folder first. Not with a folder of FINN's.
    out
        Folder for reports and hardware. In a folder of FINN's by default the configuration's `output_dir`.
    progress
        Receives a line per step.

    Raises
    ------
    UserError
        A bad configuration or model, one that cannot be built, a folder that cannot be written.
    FlowError
        A step failed.
    """
    from brevitas_models.zoo import is_zoo_name
    from finn_flow.build import build as run

    config, model_path, folder = _inputs(Path(config), model, None if out is None else Path(out))
    if is_zoo_name(model_path):
        from finn_flow.export.sources import trained_source

        source, model_path = trained_source(model_path, DEFAULT_SAMPLES), folder / FINN_MODEL
        progress(f"exporting to {model_path}, with golden.npz beside it")
        source.export(model_path)
    result = run(config, model_path, folder, progress)
    return Build(folder, read_json_object(BuildFolder(folder).estimates), tuple(result.left_out))


def _inputs(config: Path, model: ExportedModel | str | Path | None, out: Path | None) -> tuple[Path, Path, Path]:
    """Return configuration, model and folder of a build."""
    if config.is_dir():
        if model is not None:
            raise UserError(f"{config} is a folder with a {FINN_MODEL} of its own; leave --model out, or name a file")
        found = config / FINN_CONFIGURATION
        for path in (found, config / FINN_MODEL):
            if not path.is_file():
                raise UserError(
                    f"{config}: a folder to build must hold {FINN_CONFIGURATION} and {FINN_MODEL}; "
                    f"{path.name} is missing"
                )
        output = read_json_object(found).get("output_dir", "output")
        if not isinstance(output, str):
            raise UserError(f"{found}: `output_dir` must be a path, not {output!r}")
        return found, config / FINN_MODEL, out or config / output
    if model is None or out is None:
        raise UserError("name the model with --model and the folder for the results with --out")
    path = model.path if isinstance(model, ExportedModel) else Path(model)
    return configuration(config, BUILDS), path, out
