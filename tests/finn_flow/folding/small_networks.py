"""Hardware graphs of small networks, ready to fold."""

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.transformations.bodies import loop_body, loops
from tests.finn_flow.transformations.compiled import hardware, integers
from tests.finn_flow.transformations.qonnx_graphs import ode_net

PART = "xczu7ev-ffvc1156-2-e"


def lowered(style: str = "ds", seed: int = 0) -> ModelWrapper:
    """Integers of a network with one block of 3 iterations, 4 channels and 4 x 4 pixels."""
    return integers(ode_net((3,), channels=4, style=style, size=4, seed=seed, state_output=False))


def small_hardware(style: str = "ds") -> ModelWrapper:
    """Return the same as unfolded hardware."""
    return hardware(lowered(style))


def all_nodes(model: ModelWrapper) -> list:
    """Nodes of the outer graph and of the bodies, each with how often it runs per frame."""
    found = [(node, 1) for node in model.graph.node]
    for node in loops(model):
        iterations = getCustomOp(node).get_nodeattr("iterations")
        found += [(inner, iterations) for inner in loop_body(node).graph.node]
    return found


def cycles_per_frame(model: ModelWrapper) -> int:
    """Of the slowest node."""
    return max(int(getCustomOp(node).get_exp_cycles()) * passes for node, passes in all_nodes(model))
