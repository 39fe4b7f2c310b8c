"""From a quantised dsODENet to a streaming accelerator: build steps, simulation, reports and deployment around FINN."""

__version__ = "0.1.0"
