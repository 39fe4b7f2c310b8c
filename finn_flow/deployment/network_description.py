"""The accelerator's graph as the driver runs it in NumPy: operations by name, constants as arrays."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

import custom_ops  # noqa: F401  (registers the ops)
from custom_ops.requantisation import writable
from finn_flow.deployment.driver.network import FORMAT, Network
from finn_flow.deployment.driver.scores import Scores
from finn_flow.errors import UserError
from finn_flow.transformations.batch_norms import read_normalisations
from finn_flow.transformations.bodies import loop_body
from finn_flow.transformations.interface import read_outputs

Entry = dict[str, Any]


@dataclass
class NetworkDescription:
    """What `network.npz` of a package holds.

    Parameters
    ----------
    operations
        Of the outer graph, in order; a loop has its own in `body`.
    arrays
        Constants by name.
    source, result, values
        The tensors of the codes that come in, of the best classes, and of the values that these are chosen from.
    scale
        What one unit of the values stands for.
    information
        See `with_information`.
    """

    operations: list[Entry] = field(default_factory=list)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    source: str = ""
    result: str = ""
    values: str = ""
    scale: float = 1.0
    information: float = 0.0

    @classmethod
    def of(cls, model: ModelWrapper) -> NetworkDescription:
        """Describe a hardware graph with writable parameters.

        Raises
        ------
        UserError
            A node that the driver cannot run.
        """
        found = cls(source=model.graph.input[0].name, result=model.graph.output[0].name)
        found.operations = found._operations(model, "")
        last = model.find_producer(found.result)
        found.values = found._resolved(model, last.input[0]) if last.op_type == "TopK_rtl" else found.result
        found.scale = float(np.mean(read_outputs(model)[0].scale))
        for name, arrays in read_normalisations(model).items():
            found.arrays |= {f"{name}/{key}": value for key, value in arrays.items()}
        return found

    def with_information(self, codes: NDArray[np.uint8]) -> NetworkDescription:
        """Return the description with the score on pictures that the network knows, as its input."""
        network = Network(json.loads(self._header()), self.arrays)
        values = network.run(codes, network.built_in())[1]
        return replace(self, information=Scores.of(values, network.scale).information)

    def to_bytes(self) -> bytes:
        """Return the content of the file: no pickles; the same network gives the same bytes."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {"header": np.frombuffer(self._header().encode(), np.uint8), **self.arrays}
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    def _header(self) -> str:
        keys = ("operations", "source", "result", "values", "scale", "information")
        return json.dumps({"format": FORMAT, **{key: getattr(self, key) for key in keys}})

    def _operations(self, model: ModelWrapper, prefix: str) -> list[Entry]:
        entries = []
        for node in model.graph.node:
            if node.op_type in _TRANSPARENT:
                continue
            describe = DESCRIBERS.get(node.op_type)
            if describe is None:
                raise UserError(f"{node.name}: the driver has no NumPy form of {node.op_type}; it cannot adapt")
            constants = [name for name in node.input if model.get_initializer(name) is not None]
            inputs = [self._resolved(model, name) for name in node.input if name not in constants]
            entry = {"inputs": inputs, "output": node.output[0], **describe(getCustomOp(node), node)}
            for name in constants:
                entry["constant"] = f"{prefix}{node.name}"
                values = model.get_initializer(name)
                self.arrays[entry["constant"]] = np.rint(values).astype(np.int64)
            if entry["kind"] == "loop":
                body = loop_body(node)
                names = [value.name for value in body.graph.input]
                entry |= {
                    "body": self._operations(body, prefix),
                    "state": names[0],
                    "index": names[1] if len(names) > 1 else "",
                    "next": self._resolved(body, body.graph.output[0].name),
                }
            entries.append(entry)
        return entries

    def _resolved(self, model: ModelWrapper, name: str) -> str:
        """Return the tensor that `name` is a copy of: through FIFOs, forks and width converters."""
        producer = model.find_producer(name)
        while producer is not None and producer.op_type in _TRANSPARENT:
            name = producer.input[0]
            producer = model.find_producer(name)
        return name


_TRANSPARENT = frozenset({"StreamingFIFO_rtl", "Fork_rtl", "StreamingDataWidthConverter_rtl"})


def _attributes(kind: str, **names: str) -> Callable[[Any, NodeProto], Entry]:
    """Return what describes a node by some of its attributes, each under another name."""

    def describe(op: Any, node: NodeProto) -> Entry:
        return {"kind": kind, **{key: _plain(op.get_nodeattr(name)) for key, name in names.items()}}

    return describe


def _plain(value: Any) -> Any:
    return np.asarray(value).tolist() if isinstance(value, list | tuple | np.ndarray) else value


def _requantisation(op: Any, node: NodeProto) -> Entry:
    low, high = op.codes
    entry = {
        "kind": "requantise",
        "shift": op.get_nodeattr("shift"),
        "ties_to_even": bool(op.get_nodeattr("ties_to_even")),
        "codes": [low, high],
        "multiplier_bits": op.get_nodeattr("multiplier_bits"),
        "offset_bits": op.get_nodeattr("offset_bits"),
    }
    if op.is_writable:
        channels = range(int(op.get_nodeattr("NumChannels")))
        base = int(op.get_nodeattr("parameter_base"))
        entry["normalisation"] = op.get_nodeattr("normalisation")
        entry["rows"] = [[base + writable.row_of(op, use, channel) for channel in channels] for use in range(op.sets)]
    return entry


_windows = _attributes("windows", kernel="ConvKernelDim", stride="Stride", dilation="Dilation")
DESCRIBERS: dict[str, Callable[[Any, NodeProto], Entry]] = {
    "CascadeMVAU_rtl": _attributes("matrix"),
    "ChannelAffine_rtl": _attributes("affine"),
    "ConstantMatrix_rtl": _attributes("matrix"),
    "ConvolutionInputGenerator_rtl": _windows,
    "DepthwiseConv_rtl": _attributes("depthwise", stride="Stride"),
    "FMPadding_rtl": _attributes("pad", padding="Padding"),
    "GlobalSumPool_rtl": _attributes("sum"),
    "IndexedRequantisation_rtl": _requantisation,
    "IndexedThresholding_rtl": _attributes("thresholds", bias="ActVal"),
    "Lookup_rtl": _attributes("lookup", lowest="lowest"),
    "MVAU_rtl": _attributes("matrix"),
    "ODELoop_rtl": _attributes("loop", iterations="iterations"),
    "ODEUpdate_rtl": _attributes(
        "update", fraction_bits="fraction_bits", state_fraction_bits="state_fraction_bits", bounds="bounds"
    ),
    "Requantisation_rtl": _requantisation,
    "Thresholding_rtl": _attributes("thresholds", bias="ActVal"),
    "TopK_rtl": _attributes("top", count="K"),
}
