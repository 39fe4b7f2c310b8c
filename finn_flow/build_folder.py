"""Where everything in a build folder is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from finn_flow.errors import UserError

NETLIST_FILE = "netlist.json"
GRAPH_FILE = "graph.onnx"
GOLDEN_FILE, GOLDEN_NOTES_FILE = "golden.npz", "golden.json"


@dataclass(frozen=True)
class BuildFolder:
    """The paths in the folder that `dsode build` makes and later commands add to; nothing need be there yet.

    Parameters
    ----------
    root
        The folder itself. It may be moved.
    """

    root: Path

    def existing(self) -> BuildFolder:
        """Return the folder, which must hold a build.

        Raises
        ------
        UserError
            It does not.
        """
        if not self.estimates.is_file():
            where = self.estimates.relative_to(self.root)
            raise UserError(f"{self.root} holds no build ({where} is missing); make one with `dsode build`")
        return self

    @property
    def netlist(self) -> Path:
        """The folder of the netlist: Verilog, memory files, `netlist.json` and the graph that it was made from."""
        return self.root / "rtl"

    @property
    def graph(self) -> Path:
        """The hardware graph of the netlist."""
        return self.netlist / GRAPH_FILE

    @property
    def intermediate_models(self) -> Path:
        """The folder of the graphs after each step, which FINN's builder writes."""
        return self.root / "intermediate_models"

    @property
    def timing(self) -> Path:
        """Slowest paths of the netlist by the delay model, as `dsode timing` writes them."""
        return self.root / "report" / "timing.json"

    @property
    def timeline(self) -> Path:
        """The accelerator over time, as `dsode timeline` writes it."""
        return self.root / "report" / "timeline.json"

    @property
    def wavefront(self) -> Path:
        """Its picture."""
        return self.root / "report" / "wavefront.svg"

    @property
    def animated_wavefront(self) -> Path:
        """The same with time passing."""
        return self.root / "report" / "wavefront_animated.svg"

    @property
    def rolled_model(self) -> Path:
        """The model with its ODE blocks rolled, with which the steps begin."""
        return self.step_model("rolled")

    def step_model(self, step: str) -> Path:
        """Return the graph after `step`."""
        return self.intermediate_models / f"{step}.onnx"

    @property
    def reports(self) -> Path:
        """The folder of reports."""
        return self.root / "report"

    @property
    def configuration(self) -> Path:
        """The settings of the build that differ from FINN's defaults."""
        return self.reports / "build_config.json"

    @property
    def estimates(self) -> Path:
        """Cycles and resources of each node, estimated."""
        return self.reports / "estimates.json"

    @property
    def folding(self) -> Path:
        """The folding that was chosen, as a folding configuration."""
        return self.reports / "folding_config.json"

    @property
    def fifo_sizing(self) -> Path:
        """FIFO depths and frames in flight, with what they follow from."""
        return self.reports / "fifo_sizing.json"

    @property
    def deadlock_certificate(self) -> Path:
        """What the nodes need, from which follows that the FIFOs are deep enough."""
        return self.reports / "deadlock_certificate.json"

    @property
    def step_times(self) -> Path:
        """Seconds per step, from FINN's builder."""
        return self.reports / "time_per_step.json"

    @property
    def synthesis(self) -> Path:
        """Resources by open synthesis."""
        return self.reports / "synthesis.json"

    def simulation(self, stalled: bool) -> Path:
        """Return the last result of a simulation, without or with pauses of source and sink."""
        return self.reports / ("simulation_stalled.json" if stalled else "simulation.json")

    @property
    def proof(self) -> Path:
        """The comparisons with the model as given."""
        return self.reports / "proof.json"

    @property
    def page(self) -> Path:
        """The report as a page."""
        return self.reports / "report.html"

    @property
    def page_data(self) -> Path:
        """What the page says, as JSON."""
        return self.reports / "report.json"

    @property
    def golden(self) -> Path:
        """Golden inputs and outputs."""
        return self.root / GOLDEN_FILE

    @property
    def golden_notes(self) -> Path:
        """Where the golden inputs are from, and how images are prepared."""
        return self.root / GOLDEN_NOTES_FILE

    @property
    def package(self) -> Path:
        """The deployment package."""
        return self.root / "deploy"

    @property
    def package_archive(self) -> Path:
        """The deployment package as one file."""
        return self.root / "deploy.zip"
