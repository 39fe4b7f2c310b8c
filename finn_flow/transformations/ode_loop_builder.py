"""Turning a repeated block of a graph into one ODELoop node."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.ode_loop.body import opset_strings
from finn_flow.transformations.graph_index import GraphIndex
from finn_flow.transformations.integer_graph import DOMAIN, unique_name
from finn_flow.transformations.repeated_blocks import RepeatedBlock


def build_loop(
    model: ModelWrapper, index: GraphIndex, block: RepeatedBlock, name: str
) -> tuple[NodeProto, list[TensorProto]]:
    """Return an ODELoop node called `name` for `block`, and the initialisers that its parameter inputs need.

    The body is the block's first iteration. A constant that has one value in all iterations becomes an initialiser of
    the body (with the nodes that compute it, a weight quantiser for one); one that differs is stacked along a new
    first dimension and becomes a parameter. Constants that differ in the same way share a parameter.
    """
    body_nodes = {
        number: _copy(index.nodes[number], index.inputs[number])
        for number in sorted(n for segment in block.segments[0] for n in segment.nodes)
    }
    taken = {name for node in body_nodes.values() for name in (*node.input, *node.output)}
    state_in, state_out = block.states[:2]
    state = unique_name("state", taken)
    for node in body_nodes.values():
        node.input[:] = [state if tensor == state_in else tensor for tensor in node.input]

    shared: dict[str, None] = {}
    parameters: dict[tuple[int, ...], tuple[str, TensorProto]] = {}
    for (reader, position), sources in sorted(_constants(index, block).items()):
        keys = tuple(index.constant_key(source) for source in sources)
        if len(set(keys)) == 1:
            shared[sources[0]] = None
            continue
        if keys not in parameters:
            number = len(parameters)
            values = np.stack([index.constant_value(source) for source in sources])
            inner = unique_name(f"param_{number}", taken)
            outer = unique_name(f"{name}_param_{number}", index.shapes)
            parameters[keys] = inner, numpy_helper.from_array(values, outer)
        body_nodes[reader].input[position] = parameters[keys][0]

    constant_nodes, initialisers = index.constant_nodes(shared)
    inputs = [helper.make_tensor_value_info(state, index.element_types[state_in], index.shapes[state_in])]
    for inner, stacked in parameters.values():
        inputs.append(helper.make_tensor_value_info(inner, stacked.data_type, stacked.dims[1:]))
    nodes = [*(_copy(n, map(index.resolve, n.input)) for n in constant_nodes), *body_nodes.values()]
    known = {output for node in nodes for output in node.output if output} - {state_out} | set(initialisers)
    body = helper.make_graph(
        nodes=nodes,
        name=f"{name}_body",
        inputs=inputs,
        outputs=[helper.make_tensor_value_info(state_out, index.element_types[state_out], index.shapes[state_out])],
        initializer=[index.initialisers[leaf] for leaf in initialisers],
        value_info=[info for tensor, info in index.value_infos.items() if tensor in known],
    )
    body.quantization_annotation.extend(a for a in model.graph.quantization_annotation if a.tensor_name in known)
    opsets = {domain: version for domain, version in model.get_opset_imports().items() if domain != DOMAIN}
    loop = helper.make_node(
        "ODELoop",
        [state_in, *(stacked.name for _, stacked in parameters.values())],
        [block.states[-1]],
        name=name,
        domain=DOMAIN,
        iterations=block.iterations,
        body=body,
        body_opsets=opset_strings(opsets),
    )
    return loop, [stacked for _, stacked in parameters.values()]


def _constants(index: GraphIndex, block: RepeatedBlock) -> dict[tuple[int, int], list[str]]:
    """Map each (node, input position) of the first iteration that reads a constant to that of each iteration."""
    walks = [[place for segment in iteration for place in segment.constants] for iteration in block.segments]
    return {
        places[0]: [index.inputs[number][position] for number, position in places]
        for places in zip(*walks, strict=True)
    }


def _copy(node: NodeProto, inputs: Iterable[str]) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    del copy.input[:]
    copy.input.extend(inputs)
    return copy
