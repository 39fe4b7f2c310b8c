"""The flow in Python, a verb for each command; `import dsode` gives these names.

Nothing heavy is imported before a verb is called.
"""

from finn_flow.api.building import Build, build
from finn_flow.api.comparing import Comparison, compare
from finn_flow.api.exporting import ExportedModel, export
from finn_flow.api.packaging import Package, package
from finn_flow.api.reporting import Report, report
from finn_flow.api.result import Result
from finn_flow.api.simulating import Simulation, simulate
from finn_flow.api.timeline import Timelines, timeline
from finn_flow.api.training import Training, train

__all__ = [
    "Build",
    "Comparison",
    "ExportedModel",
    "Package",
    "Report",
    "Result",
    "Simulation",
    "Timelines",
    "Training",
    "build",
    "compare",
    "export",
    "package",
    "report",
    "simulate",
    "timeline",
    "train",
]
