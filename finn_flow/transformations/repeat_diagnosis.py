"""Why layers that share a weight were not rolled into a loop."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise

from finn_flow.transformations.dominators import chains
from finn_flow.transformations.graph_index import GraphIndex
from finn_flow.transformations.repeated_blocks import (
    WEIGHT_POSITIONS,
    Segment,
    find_repeated_blocks,
    read_segment,
)


def explain_unrolled(index: GraphIndex) -> list[str]:
    """Return one sentence per weight that several linear operators outside of loops share: what is in the way."""
    chain_segments = [[read_segment(index, a, b) for a, b in pairwise(chain)] for chain in chains(index)]
    reasons = []
    for weight, users in _shared_weights(index).items():
        names = _quote(index.nodes[number].name for number in users)
        crossing = _narrowest_cut(index, users[0], users[1])
        if len(crossing) > 1:
            obstacle = f"a loop carries one tensor from an iteration to the next, but {_quote(crossing)} are all needed"
        elif outputs := _outputs_between(index, users[0], users[1]):
            obstacle = f"the model has an output between the first two of them, {_quote(outputs)}"
        else:
            obstacle = _difference(index, chain_segments, users) or "the parts between them are not alike"
        reasons.append(f"weight '{weight}' is shared by {names}: {obstacle}")
    return reasons


def explain_no_block(index: GraphIndex) -> str:
    """Return why a model has nothing to roll, for the error message."""
    reasons = explain_unrolled(index)
    if reasons:
        return "; ".join(reasons)
    unshared = find_repeated_blocks(index, weights_by_value=False)
    if unshared:
        first, second = (iteration[0].nodes[0] for iteration in unshared[0].segments[:2])
        return (
            f"the parts around nodes '{index.nodes[first].name}' and '{index.nodes[second].name}' are alike, but their "
            "weights differ; the steps of an ODE solver share one set of weights"
        )
    return "no two layers share a weight; the steps of an ODE solver share one set of weights"


def _shared_weights(index: GraphIndex) -> dict[str, list[int]]:
    """Map the first name of each weight that several linear operators read to the numbers of these nodes."""
    users: dict[int, list[int]] = {}
    first_names: dict[int, str] = {}
    for number, node in index.nodes.items():
        for position in WEIGHT_POSITIONS.get(node.op_type, ()):
            name = index.inputs[number][position]
            if index.is_constant(name):
                key = index.constant_key(name)
                first_names.setdefault(key, name)
                users.setdefault(key, []).append(number)
    return {first_names[key]: numbers for key, numbers in users.items() if len(numbers) > 1}


def _narrowest_cut(index: GraphIndex, first: int, second: int) -> list[str]:
    """Return the fewest dynamic tensors that are needed at once somewhere between nodes `first` and `second`."""
    end = max(index.nodes) + 1
    births = {name: index.producer[name][0] if name in index.producer else -1 for name in index.tensors}
    deaths = {n: end if n in index.graph_outputs else max(index.consumers[n]) for n in index.tensors}
    changes = [0] * (end + 2)
    for name in index.tensors:
        changes[births[name] + 1] += 1
        changes[deaths[name] + 1] -= 1
    # alive[i] counts the tensors needed after node i - 1, that is, those born before node i that nodes >= i read.
    alive = list(accumulate(changes))
    cut = min(range(first + 1, second + 1), key=lambda i: alive[i])
    return [name for name in index.tensors if births[name] < cut <= deaths[name]]


def _outputs_between(index: GraphIndex, first: int, second: int) -> list[str]:
    return [n for n in index.tensors if n in index.graph_outputs and first <= index.producer.get(n, (-1,))[0] < second]


def _difference(index: GraphIndex, chain_segments: list[list[Segment]], users: list[int]) -> str:
    """Return the first difference between what follows the first two users of a weight, or ''."""
    for segments in chain_segments:
        places = [i for i, segment in enumerate(segments) if not set(users).isdisjoint(segment.nodes)]
        for a, b in pairwise(places):
            for left, right in zip(segments[a:b], segments[b:], strict=False):
                if left.tokens != right.tokens:
                    return _describe_difference(index, left, right)
    return ""


def _describe_difference(index: GraphIndex, left: Segment, right: Segment) -> str:
    pairs = zip(left.tokens, right.tokens, left.owners, right.owners, strict=False)
    nodes = [index.nodes[number] for number in next((x, y) for a, b, x, y in pairs if a != b)]
    ends = " and ".join(f"node '{node.name}' ({node.op_type})" for node in nodes)
    return f"the parts between them differ at {ends}"


def _quote(names: Iterable[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    shown = quoted if len(quoted) <= 4 else [*quoted[:3], f"{len(quoted) - 3} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
