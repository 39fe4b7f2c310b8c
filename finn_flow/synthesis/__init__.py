"""Resource figures of RTL by open synthesis (Yosys with its slang front end): estimates, not calibrated on Vivado."""

from finn_flow.synthesis.engine import mapped_netlist, synthesise, synthesise_all
from finn_flow.synthesis.job import StagedJob, SynthesisJob, stage
from finn_flow.synthesis.resources import LABEL, Resources

__all__ = ["LABEL", "Resources", "StagedJob", "SynthesisJob", "mapped_netlist", "stage", "synthesise", "synthesise_all"]
