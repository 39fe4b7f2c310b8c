"""Hardware streams have one reader: tensors with several get a Fork node."""

from __future__ import annotations

from onnx import helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from custom_ops.hardware import DOMAIN
from finn_flow.transformations.bodies import change_bodies, index_tensor


class InsertForks(Transformation):
    """Put a `Fork_rtl` behind every tensor that several hardware nodes read, loop bodies included.

    An output of the graph that nodes read as well counts as one more reader, and is the first copy. The iteration
    index of a body keeps its several readers: the loop's hardware gives each its own index stream.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        change_bodies(model, lambda body: body.transform(InsertForks()))
        index = index_tensor(model)
        readers: dict[str, list[tuple[int, int]]] = {}
        for position, node in enumerate(model.graph.node):
            for slot, name in enumerate(node.input):
                if model.get_initializer(name) is None and name != index:
                    readers.setdefault(name, []).append((position, slot))
        nodes = list(model.graph.node)
        ends = {value.name: value for value in model.graph.output}
        for name, uses in readers.items():
            end = [ends[name]] if name in ends else []
            count = len(uses) + len(end)
            if count < 2:
                continue
            shape, dtype = model.get_tensor_shape(name), model.get_tensor_datatype(name)
            copies = [f"{name}_copy{i}" for i in range(count)]
            fork = helper.make_node(
                "Fork_rtl",
                [name],
                copies,
                name=f"Fork_{name}",
                domain=DOMAIN,
                backend="fpgadataflow",
                NumOutputs=count,
                NumChannels=shape[-1],
                PE=1,
                numInputVectors=shape[:-1],
                inputDataType=dtype.name,
                outFIFODepths=[2] * count,
            )
            for value, copy in zip(end, copies, strict=False):
                value.name = copy
            for (position, slot), copy in zip(uses, copies[len(end) :], strict=True):
                nodes[position].input[slot] = copy
            for copy in (name, *copies):  # the tensor itself is no output any more
                model.set_tensor_shape(copy, shape)
                model.set_tensor_datatype(copy, dtype)
            model.graph.node.insert(min(position for position, _ in uses), fork)
        return model, False
