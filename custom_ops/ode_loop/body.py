"""The body graph that both levels of the ODE loop carry as a node attribute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onnx import GraphProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.basic import get_by_name, qonnx_make_model

from finn_flow.errors import FlowError

DEFAULT_DOMAIN = "ai.onnx"
"""The public spelling of ONNX's own operator domain, whose identifier in a model is the empty string."""


def opset_strings(opsets: Mapping[str, int]) -> list[str]:
    """Return operator-set versions as the strings that the attribute `body_opsets` holds ("ai.onnx:18")."""
    return [f"{domain or DEFAULT_DOMAIN}:{version}" for domain, version in sorted(opsets.items())]


class BodyAttribute:
    """Mixin for custom ops with a graph attribute: it makes `get_nodeattr` and `set_nodeattr` work for `body`.

    qonnx knows how to read and write numbers, strings and tensors only. Put this class before the qonnx or FINN base
    class and merge `body_attribute_types()` into the op's attribute types.

    - `get_nodeattr("body")` returns a `ModelWrapper` around a *copy* of the body: changes reach the node only
      through `set_nodeattr`. Its operator sets are those of `body_opsets`, or qonnx's defaults where that is empty
      (a body of hardware nodes has no standard operators).
    - `set_nodeattr("body", value)` takes a `ModelWrapper` or a `GraphProto` and stores a copy; a
      `ModelWrapper` sets `body_opsets` as well.
    """

    onnx_node: Any

    @staticmethod
    def body_attribute_types() -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes that this mixin serves, in the form of qonnx's `get_nodeattr_types`."""
        return {"body": ("g", True, None), "body_opsets": ("strings", False, [])}

    def get_nodeattr(self, name: str) -> Any:
        """Return an attribute's value, a `ModelWrapper` for `body`. Raises FlowError for a node without a body."""
        if name != "body":
            return super().get_nodeattr(name)  # type: ignore[misc]
        attribute = get_by_name(self.onnx_node.attribute, "body")
        if attribute is None:
            raise FlowError(f"{self.onnx_node.name}: {self.onnx_node.op_type} must have a graph attribute 'body'")
        opsets = [entry.rsplit(":", 1) for entry in self.get_nodeattr("body_opsets")]
        imports = [helper.make_opsetid("" if domain == DEFAULT_DOMAIN else domain, int(v)) for domain, v in opsets]
        return ModelWrapper(qonnx_make_model(attribute.g, opset_imports=imports or None))

    def set_nodeattr(self, name: str, value: Any) -> None:
        """Set an attribute; for `body` from a `ModelWrapper` or a `GraphProto`, of which a copy is stored."""
        if name != "body":
            super().set_nodeattr(name, value)  # type: ignore[misc]
            return
        if isinstance(value, ModelWrapper):
            self.set_nodeattr("body_opsets", opset_strings(value.get_opset_imports()))
            value = value.graph
        if not isinstance(value, GraphProto):
            raise TypeError(f"{self.onnx_node.name}: body must be a ModelWrapper or GraphProto, not {type(value)}")
        attribute = get_by_name(self.onnx_node.attribute, "body")
        if attribute is None:
            self.onnx_node.attribute.append(helper.make_attribute("body", value))
        else:
            attribute.g.CopyFrom(value)
