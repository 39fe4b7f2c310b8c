"""The image's end of the graph: one quantiser reads it."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper
from qonnx.core.datatype import IntType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from finn_flow.errors import UserError
from finn_flow.transformations.graph_editing import replace_nodes
from finn_flow.transformations.interface import AFFINE, InputCodes, Step, read_input, read_outputs, write_forms
from finn_flow.transformations.quantiser import QUANTISERS, read_quantiser

log = logging.getLogger(__name__)

_COPIES = frozenset({"Identity", "Cast", "Dropout"})
_RESHAPES = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})
_INTEGERS = {
    TensorProto.UINT8: "UINT8",
    TensorProto.INT8: "INT8",
    TensorProto.UINT16: "UINT16",
    TensorProto.INT16: "INT16",
}
_ADVICE = "put `qnn.QuantIdentity(act_quant=Uint8ActPerTensorFixedPoint)` or the like in front of it"


class ReadImageOnce(Transformation):
    """Let exactly one quantiser read the image; its codes are what the accelerator takes.

    Arithmetic with constants in front of it, a normalisation by mean and standard deviation, is left to whoever makes
    the codes, and kept in the model's `InputForm`. An input of an integer type is taken as it is. Where several
    quantisers read the image, the one with the most levels makes the codes and the others read its values, which is
    the same for every image that it represents exactly.

    Raises
    ------
    UserError
        More than one input, or a node reads the image without a quantiser.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        graph = model.graph
        if len(graph.input) != 1:
            names = ", ".join(value.name for value in graph.input)
            raise UserError(f"the model must have one input, not {len(graph.input)} ({names})")
        (entry,) = graph.input
        form = read_input(model)
        nodes = list(graph.node)
        integers = _integer_type(model, entry)
        if integers is not None:
            nodes = _insert_identity(graph, nodes, entry.name, integers)
            entry.type.tensor_type.elem_type = TensorProto.FLOAT
        else:
            nodes, steps = _without_normalisation(model, nodes)
            form = replace(form, steps=steps)
        quantisers = [(number, node) for number, node in enumerate(nodes) if entry.name in node.input]
        for _, node in quantisers:
            if node.op_type not in QUANTISERS or node.input[0] != entry.name:
                raise UserError(f"{node.name}: reads the image, which is not quantised; {_ADVICE}")
        if not quantisers:
            raise UserError(f"input {entry.name}: no quantiser reads it; {_ADVICE}")
        kinds = {node.output[0]: InputCodes.of(read_quantiser(model, node)) for _, node in quantisers}
        _, finest = max(quantisers, key=lambda entry: (kinds[entry[1].output[0]].bits, -entry[0]))
        quantiser = kinds[finest.output[0]]
        same = {name for name, kind in kinds.items() if kind == quantiser}
        nodes = _read_finest(nodes, entry.name, finest, same)
        if len(same) < len(kinds):
            log.warning(
                f"the image is read by {len(kinds)} quantisers; the accelerator takes the codes of {finest.name}, "
                f"{quantiser}: exact for images whose values are such codes"
            )
        form = replace(form, codes=quantiser, exact_codes_only=len(same) < len(kinds))
        replace_nodes(graph, nodes)
        write_forms(model, form, read_outputs(model))
        return model, False


def _integer_type(model: ModelWrapper, entry: object) -> IntType | None:
    """Type of an input that holds integers, by its element type or QONNX's annotation."""
    element = entry.type.tensor_type.elem_type  # type: ignore[attr-defined]
    name = entry.name  # type: ignore[attr-defined]
    if element in _INTEGERS:
        return IntType(int(_INTEGERS[element].lstrip("UINT")), _INTEGERS[element].startswith("INT"))
    datatype = model.get_tensor_datatype(name)
    return datatype if isinstance(datatype, IntType) else None


def _insert_identity(graph: object, nodes: list[NodeProto], name: str, integers: IntType) -> list[NodeProto]:
    codes = f"{name}_codes"
    operands = {f"{codes}_scale": 1.0, f"{codes}_zero": 0.0, f"{codes}_bits": float(integers.bitwidth())}
    for operand, number in operands.items():
        tensor = numpy_helper.from_array(np.array(number, dtype=np.float32), operand)
        graph.initializer.append(tensor)  # type: ignore[attr-defined]
    identity = helper.make_node(
        "Quant",
        [name, *operands],
        [codes],
        f"Quant_{codes}",
        domain="qonnx.custom_op.general",
        signed=int(integers.signed()),
        narrow=0,
        rounding_mode="ROUND",
    )
    for node in nodes:
        node.input[:] = [codes if operand == name else operand for operand in node.input]
    return [identity, *nodes]


def _without_normalisation(model: ModelWrapper, nodes: list[NodeProto]) -> tuple[list[NodeProto], tuple[Step, ...]]:
    """Drop the arithmetic between the input and its quantiser, and return it as steps.

    A reshape there goes behind the quantiser.
    """
    (entry,) = model.graph.input
    rank = len(entry.type.tensor_type.shape.dim)
    channels = entry.type.tensor_type.shape.dim[1].dim_value if rank > 1 else 1
    readers: dict[str, list[int]] = {}
    for number, node in enumerate(nodes):
        for name in dict.fromkeys(node.input):
            readers.setdefault(name, []).append(number)
    steps: list[Step] = []
    dropped: set[int] = set()
    name, reshape = entry.name, None
    while len(readers.get(name, [])) == 1:
        node = nodes[readers[name][0]]
        if node.op_type in _COPIES:
            pass
        elif node.op_type in AFFINE and len(set(node.input)) == 2:
            first = node.input[1] == name
            constant = model.get_initializer(node.input[0] if first else node.input[1])
            if constant is None or not _per_channel(constant.shape, rank, channels):
                break
            if reshape is not None and constant.size != 1:
                break
            steps.append(Step(node.op_type, tuple(float(number) for number in np.ravel(constant)), first))
        elif node.op_type in _RESHAPES and reshape is None:
            reshape = node
        else:
            break
        dropped.add(readers[name][0])
        name = node.output[0]
    kept = [node for number, node in enumerate(nodes) if number not in dropped]
    quantisers = [node for node in kept if name in node.input and node.op_type in QUANTISERS]
    if not quantisers:
        return nodes, ()
    if reshape is not None:
        if len(quantisers) > 1 or not _has_one_scale(model, quantisers[0]):
            return nodes, ()
        kept = _reshape_behind(kept, quantisers[0], reshape)
    for node in kept:
        node.input[:] = [entry.name if operand == name else operand for operand in node.input]
    return kept, tuple(steps)


def _has_one_scale(model: ModelWrapper, quantiser: NodeProto) -> bool:
    return all((value := model.get_initializer(name)) is not None and value.size == 1 for name in quantiser.input[1:])


def _reshape_behind(nodes: list[NodeProto], quantiser: NodeProto, reshape: NodeProto) -> list[NodeProto]:
    """Let a quantiser give what `reshape` then reshapes."""
    moved = NodeProto()
    moved.CopyFrom(reshape)
    moved.output[0] = quantiser.output[0]
    moved.input[0] = quantiser.output[0] = f"{quantiser.output[0]}_as_given"
    place = next(number for number, node in enumerate(nodes) if node is quantiser)
    return [*nodes[: place + 1], moved, *nodes[place + 1 :]]


def _per_channel(shape: tuple[int, ...], rank: int, channels: int) -> bool:
    padded = (1,) * (rank - len(shape)) + tuple(shape)
    return bool(np.prod(padded) == 1) or (len(padded) > 1 and np.prod(padded) == padded[1] == channels)


def _read_finest(nodes: list[NodeProto], entry: str, finest: NodeProto, same: set[str]) -> list[NodeProto]:
    """Put the finest quantiser first; equal ones are dropped, the others read it."""
    copies = same - {finest.output[0]}
    kept = [finest]
    for node in nodes:
        if node is finest or (node.output and node.output[0] in copies):
            continue
        renamed = [finest.output[0] if name == entry or name in copies else name for name in node.input]
        node.input[:] = renamed
        kept.append(node)
    return kept
