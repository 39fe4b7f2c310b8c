"""Streamlining: a QONNX graph of quantised floats becomes a graph of integers with exactly the same results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from finn_flow.errors import UserError
from finn_flow.transformations.batch_norms import BATCH_NORMS, read_batch_norms, write_normalisations
from finn_flow.transformations.elementwise import ELEMENTWISE_OPS
from finn_flow.transformations.graph_index import live_nodes
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, Stacked, build_model
from finn_flow.transformations.interface import read_input, read_outputs, write_forms
from finn_flow.transformations.lower_batch_norm import lower_batch_norm
from finn_flow.transformations.lower_elementwise import lower_concat, lower_copy, lower_elementwise
from finn_flow.transformations.lower_layers import lower_conv, lower_matmul
from finn_flow.transformations.lower_outputs import as_output
from finn_flow.transformations.lower_pooling import lower_average_pool, lower_max_pool, lower_whole_map_pool
from finn_flow.transformations.lower_quantisers import lower_quant
from finn_flow.transformations.lower_reshapes import lower_reshape
from finn_flow.transformations.lower_states import (
    deinterleave,
    interleave,
    lower_expand,
    lower_split,
    lower_tile,
    lower_where,
    states_of,
)
from finn_flow.transformations.normal_form import ToNormalForm

_STATE_ADVICE = "share one state quantiser q: z = q(z) before the first step, and z = q(z + i(f(z))) in each"


class LowerToIntegers(Transformation):
    """Replace every float tensor of a quantised graph by its integer codes, inside ODE loops as well.

    Weights become integer constants, and whatever elementwise arithmetic (batch-norm, time bias, step size, ReLU)
    stands between an integer tensor and a quantiser becomes a MultiThreshold whose thresholds are found by bisecting
    that very arithmetic (see `find_thresholds`). The state update stays `Quant(z + inc·2^-k)`, on codes. Thresholds
    that differ between the iterations of a loop become one of its stacked parameters.

    Input of the new graph: image codes instead of values. Outputs: integers; the value of one code is in their
    `OutputForm`.

    Raises
    ------
    UserError
        A tensor feeds a convolution without being quantised, a zero-point that is not 0, a state whose scale does not
        close, an operation that has no integer form. The message names the node.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        model, _ = ToNormalForm().apply(model)
        if is_lowered(model):
            return model, False
        graph = IntegerGraph(batch_norms=read_batch_norms(model))
        outputs = _lower_graph(model, graph)
        lowered = build_model(graph, model, [model.graph.input[0].name], [output.name for output in outputs])
        for prop in model.graph.metadata_props:
            if prop.key == BATCH_NORMS:
                continue
            lowered.set_metadata_prop(prop.key, prop.value)
        write_normalisations(lowered, graph.normalisations)
        values = [as_output(graph.env.get(output.name)) for output in model.graph.output]
        forms = [
            replace(form, scale=_numbers(value[1]), offset=_numbers(value[2]))
            for form, value in zip(read_outputs(model), values, strict=True)
            if value is not None
        ]
        write_forms(lowered, read_input(model), forms)
        return lowered, False


def is_lowered(model: ModelWrapper) -> bool:
    """Tell whether the model's tensors are integers already."""
    return all(form.scale for form in read_outputs(model))


def _lower_graph(model: ModelWrapper, graph: IntegerGraph) -> list[Codes]:
    _lower_nodes(model, graph)
    outputs = []
    for output in model.graph.output:
        value = as_output(graph.env.get(output.name))
        if value is None:
            producer = model.find_producer(output.name)
            last = producer.name if producer is not None else "the input"
            raise UserError(
                f"output {output.name}: {last} gives no integers; leave out the function after the last quantised "
                "layer, or put a quantiser behind it"
            )
        outputs.append(value[0])
    return outputs


def _lower_nodes(model: ModelWrapper, graph: IntegerGraph) -> None:
    for node in model.graph.node:
        handler = _HANDLERS.get(node.op_type)
        if handler is None:
            raise UserError(f"{node.name}: no integer form of {node.op_type} is known; remove it or quantise around it")
        handler(model, node, graph)


def _numbers(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.ravel(values).tolist())


def _described(state: Codes) -> str:
    if state.scale.ndim or state.lowest.ndim:
        return "a scale or range for each channel"
    return f"scale {float(state.scale):.9g} and codes {int(state.lowest)} to {int(state.highest)}"


def _lower_loop(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    instance = getCustomOp(node)
    body = instance.get_nodeattr("body")
    states = states_of(graph.env.get(node.input[0]))
    if states is None:
        last = body.find_producer(body.graph.output[0].name)
        raise UserError(
            f"{node.name}: its state {node.input[0]} is not quantised; put one quantiser q in front of the block and "
            f"behind {last.name if last is not None else 'the sum'} in every iteration: z = q(z), then z = q(z + f(z))"
        )
    state = interleave(states, f"{node.input[0]}_states", graph)
    inner = IntegerGraph(batch_norms=graph.batch_norms, normalisations=graph.normalisations)
    entry = body.graph.input[0].name
    inner.shapes[entry], inner.dtypes[entry] = state.shape, graph.dtypes[state.name]
    joint = inner.know(Codes(entry, state.scale, state.lowest, state.highest, state.shape))
    entering = deinterleave(joint, states, entry, inner)
    inner.env[entry] = joint if len(states) == 1 else Stacked(entering)
    for tensor, parameter in zip(body.graph.input[1:], node.input[1:], strict=True):
        inner.indexed[tensor.name] = model.get_initializer(parameter)
    _lower_nodes(body, inner)
    leaving = states_of(inner.env.get(body.graph.output[0].name))
    if leaving is None or len(leaving) != len(states):
        raise UserError(f"{node.name}: the state that leaves the loop is not quantised; {_STATE_ADVICE}")
    for before, after in zip(map(_described, states), map(_described, leaving), strict=True):
        if before != after:
            raise UserError(f"{node.name}: the state enters with {before} but leaves with {after}; {_STATE_ADVICE}")
    result = interleave(leaving, f"{body.graph.output[0].name}_states", inner)
    stacked = []
    needed = {name for number in live_nodes(inner.nodes, [result.name]) for name in inner.nodes[number].input}
    parameters = {name: value for name, value in inner.new_parameters.items() if name in needed}
    for name, parameter in parameters.items():
        inner.shapes[name] = parameter.shape[1:]
        stacked.append(f"{node.output[0]}_{name}")
        graph.initializers[stacked[-1]] = parameter
        graph.dtypes[stacked[-1]] = inner.dtypes[name]
    lowered = build_model(inner, body, [entry, *parameters], [result.name])
    emitted = helper.make_node(node.op_type, [state.name, *stacked], list(node.output), node.name, domain=node.domain)
    graph.nodes.append(emitted)
    new_instance = getCustomOp(emitted)
    new_instance.set_nodeattr("iterations", instance.get_nodeattr("iterations"))
    new_instance.set_nodeattr("body", lowered)
    name = node.output[0]
    graph.shapes[name], graph.dtypes[name] = state.shape, inner.dtypes[result.name]
    output = graph.know(Codes(name, state.scale, state.lowest, state.highest, state.shape))
    graph.env[name] = output if len(states) == 1 else Stacked(deinterleave(output, states, name, graph))


_HANDLERS = {
    **dict.fromkeys(("Identity", "Cast", "Dropout"), lower_copy),
    "BatchNormalization": lower_batch_norm,
    "Quant": lower_quant,
    "IntQuant": lower_quant,
    "BipolarQuant": lower_quant,
    "Conv": lower_conv,
    "MatMul": lower_matmul,
    "Gemm": lower_matmul,
    **dict.fromkeys(("ReduceSum", "ReduceMean", "GlobalAveragePool"), lower_whole_map_pool),
    "AveragePool": lower_average_pool,
    **dict.fromkeys(("MaxPool", "GlobalMaxPool"), lower_max_pool),
    "Concat": lower_concat,
    "Split": lower_split,
    "Expand": lower_expand,
    "Tile": lower_tile,
    "Where": lower_where,
    "ODELoop": _lower_loop,
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), lower_reshape),
    **dict.fromkeys(ELEMENTWISE_OPS, lower_elementwise),
}
