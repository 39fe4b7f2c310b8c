"""The flow in Python: `dsode.train`, `export`, `build`, `simulate`, `report`, `package`.

Example::

    import dsode

    model = dsode.export("zoo:mnist-usps-quick", "quick/model.onnx")
    build = dsode.build("zcu104", model, "quick/build")
    dsode.simulate(build)
"""

from finn_flow import __version__
from finn_flow.api import (
    Build,
    Comparison,
    ExportedModel,
    Package,
    Report,
    Result,
    Simulation,
    Timelines,
    Training,
    build,
    compare,
    export,
    package,
    report,
    simulate,
    timeline,
    train,
)

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
    "__version__",
    "build",
    "compare",
    "export",
    "package",
    "report",
    "simulate",
    "timeline",
    "train",
]
