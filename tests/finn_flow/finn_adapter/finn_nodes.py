"""One-node FINN models for the tests of RTL simulation."""

from dataclasses import dataclass, field

import numpy as np

from finn_flow.finn_adapter.environment import ensure_finn

ensure_finn()

from finn.core.onnx_exec import execute_onnx  # noqa: E402
from finn.transformation.fpgadataflow.prepare_ip import PrepareIP  # noqa: E402
from finn.transformation.fpgadataflow.prepare_rtlsim import PrepareRTLSim  # noqa: E402
from finn.transformation.fpgadataflow.set_exec_mode import SetExecMode  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402
from qonnx.core.datatype import DataType  # noqa: E402
from qonnx.core.modelwrapper import ModelWrapper  # noqa: E402
from qonnx.custom_op.registry import getCustomOp  # noqa: E402
from qonnx.transformation.general import GiveUniqueNodeNames  # noqa: E402
from qonnx.util.basic import gen_finn_dt_tensor, qonnx_make_model  # noqa: E402

__all__ = ["Node", "execute_onnx", "getCustomOp", "prepare", "prepared", "run_python", "run_rtl"]

PART = "xczu7ev-ffvc1156-2-e"
CLOCK_NS = 5.0


@dataclass(frozen=True)
class Node:
    """A FINN RTL node with its tensors: data input and output shapes and datatypes, and a constant second input."""

    op_type: str
    input_shape: tuple[int, ...]
    input_type: str
    output_shape: tuple[int, ...]
    output_type: str
    attributes: dict = field(default_factory=dict)
    constant: np.ndarray | None = None
    constant_type: str = ""

    def model(self) -> ModelWrapper:
        """Return the model with this node alone."""
        names = ["inp"] if self.constant is None else ["inp", "constant"]
        node = helper.make_node(
            self.op_type,
            names,
            ["outp"],
            domain="finn.custom_op.fpgadataflow.rtl",
            backend="fpgadataflow",
            **self.attributes,
        )
        graph = helper.make_graph(
            [node],
            "one_node",
            [helper.make_tensor_value_info("inp", TensorProto.FLOAT, self.input_shape)],
            [helper.make_tensor_value_info("outp", TensorProto.FLOAT, self.output_shape)],
        )
        model = ModelWrapper(qonnx_make_model(graph))
        model.set_tensor_datatype("inp", DataType[self.input_type])
        model.set_tensor_datatype("outp", DataType[self.output_type])
        if self.constant is not None:
            model.set_initializer("constant", self.constant.astype(np.float32))
            model.set_tensor_datatype("constant", DataType[self.constant_type])
        return model.transform(GiveUniqueNodeNames())

    def random_input(self, seed: int) -> dict[str, np.ndarray]:
        """Random values of the input's datatype."""
        np.random.seed(seed)  # noqa: NPY002 - gen_finn_dt_tensor draws from the global generator
        return {"inp": gen_finn_dt_tensor(DataType[self.input_type], self.input_shape).astype(np.float32)}


def run_python(node: Node, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return the node's output by FINN's Python execution."""
    model = node.model().transform(SetExecMode("cppsim"))
    return execute_onnx(model, inputs)["outp"]


def prepared(node: Node) -> ModelWrapper:
    """Return the node's model, ready for RTL simulation."""
    return prepare(node.model())


def prepare(model: ModelWrapper) -> ModelWrapper:
    """Make a model ready for RTL simulation."""
    model = model.transform(PrepareIP(PART, CLOCK_NS), cleanup=False)
    model = model.transform(PrepareRTLSim(num_workers=1), cleanup=False)
    return model.transform(SetExecMode("rtlsim"))


def run_rtl(node: Node, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return the node's output by RTL simulation."""
    return execute_onnx(prepared(node), inputs)["outp"]


def mvau(input_type: str, weight_type: str, mw: int, mh: int, simd: int, pe: int, pumped: bool = False) -> Node:
    bits = {name: int(name.lstrip("UINT")) for name in (input_type, weight_type)}
    rng = np.random.default_rng(mw + mh)
    high = 2 ** (bits[weight_type] - 1)
    return Node(
        "MVAU_rtl",
        (1, 5, mw),
        input_type,
        (1, 5, mh),
        "INT24",
        {
            "MW": mw,
            "MH": mh,
            "SIMD": simd,
            "PE": pe,
            "inputDataType": input_type,
            "weightDataType": weight_type,
            "outputDataType": "INT24",
            "noActivation": 1,
            "numInputVectors": [1, 5],
            "mem_mode": "internal_decoupled",
            "pumpedCompute": int(pumped),
        },
        rng.integers(-high + 1, high, (mw, mh)),
        weight_type,
    )
