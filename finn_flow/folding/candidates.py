"""What one node may be folded to, with its cycles, words and resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.custom_op.registry import getCustomOp

from finn_flow.estimates.nodes import depends_on_constants
from finn_flow.folding.memory import memory_styles
from finn_flow.folding.options import Folding, apply_folding, matching_foldings
from finn_flow.folding.resources import Amounts, EstimateNode
from finn_flow.transformations.alternatives import Alternative
from finn_flow.transformations.bodies import LOOP_OPS
from finn_flow.transformations.graph_editing import light_copy


@dataclass(frozen=True)
class Candidate:
    """One folding of a node or of one that can take its place, with its memory style.

    Parameters
    ----------
    attributes
        What sets it.
    cycles
        Per frame, which in a body is all passes.
    inputs, outputs
        Elements per word of each stream, by the node's input and output position.
    resources
        What it takes.
    replacement
        What takes the node's place, or None if it stays.
    """

    attributes: Folding
    cycles: int
    inputs: Mapping[int, int]
    outputs: Mapping[int, int]
    resources: Amounts
    replacement: Alternative | None = None


class CandidateEstimator:
    """Estimates all foldings of nodes, once for nodes that are alike.

    Parameters
    ----------
    part
        FPGA part.
    resources
        Estimates of a node.
    """

    def __init__(self, part: str, resources: EstimateNode) -> None:
        self.part, self.resources = part, resources
        self._known: dict[tuple[bytes, ...], list[Candidate]] = {}

    def candidates(
        self, node: NodeProto, constants: NDArray | None, pinned: Mapping[str, Any], streams: list[int]
    ) -> list[Candidate]:
        """Return every folding and style of a node with its cycles per pass.

        Parameters
        ----------
        constants
            Values of its second input, if these are constants.
        pinned
            Attributes that stay.
        streams
            Positions of its inputs that are streams.

        Raises
        ------
        UserError
            No legal folding has the pinned attributes.
        """
        if not depends_on_constants(node.op_type):
            constants = None
        key = _content(node, constants, pinned, streams)
        if key not in self._known:
            self._known[key] = self._estimated(node, constants, pinned, streams)
        return self._known[key]

    def _estimated(
        self, node: NodeProto, constants: NDArray | None, pinned: Mapping[str, Any], streams: list[int]
    ) -> list[Candidate]:
        trial = light_copy(node)
        found: dict[tuple[tuple[str, Any], ...], Candidate] = {}
        for folding in matching_foldings(trial, pinned) or [{}]:
            apply_folding(trial, folding)
            for style in memory_styles(trial):
                attributes = {**folding, **style, **{key: pinned[key] for key in style if key in pinned}}
                key = tuple(attributes.items())
                if key not in found:
                    apply_folding(trial, attributes)
                    instance = getCustomOp(trial)
                    if trial.op_type in LOOP_OPS:
                        cycles = instance.input_streams()[0].words * instance.get_nodeattr("iterations")
                    else:
                        cycles = int(instance.get_exp_cycles())
                    found[key] = Candidate(
                        attributes,
                        cycles,
                        {port: int(instance.get_folded_input_shape(port)[-1]) for port in streams},
                        {port: int(instance.get_folded_output_shape(port)[-1]) for port in range(len(trial.output))},
                        self.resources(trial, self.part, constants),
                    )
        return list(found.values())


def _content(
    node: NodeProto, constants: NDArray | None, pinned: Mapping[str, Any], streams: list[int]
) -> tuple[bytes, ...]:
    """Return what the candidates of a node depend on: all but names, and a body's constants."""
    anonymous = light_copy(node)
    anonymous.name = ""
    if node.op_type not in LOOP_OPS:
        anonymous.input[:] = ["" if name else name for name in node.input]
        anonymous.output[:] = [""] * len(node.output)
    values = b"" if constants is None else constants.tobytes()
    return anonymous.SerializeToString(deterministic=True), values, repr((sorted(pinned.items()), streams)).encode()


def undominated(candidates: list[Candidate]) -> list[Candidate]:
    """Leave out each candidate that another one matches in its words and is no worse than in cycles and resources."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: (one.cycles, sum(one.resources.values()))):
        if not any(_covers(other, candidate) for other in kept):
            kept = [other for other in kept if not _covers(candidate, other)] + [candidate]
    return kept


def _covers(one: Candidate, other: Candidate) -> bool:
    return (
        one.inputs == other.inputs
        and one.outputs == other.outputs
        and one.cycles <= other.cycles
        and all(amount <= other.resources.get(name, 0) for name, amount in one.resources.items())
    )
