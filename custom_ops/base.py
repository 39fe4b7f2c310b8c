"""Common base of the hardware ops: a FINN RTL node around one SystemVerilog core."""

from __future__ import annotations

import math
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from finn.custom_op.fpgadataflow.rtlbackend import RTLBackend
from finn.util.settings import get_settings
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto
from qonnx.core.datatype import BaseDataType, DataType
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.checks import alternatives, to_integers
from custom_ops.rtl_execution import check_frames, simulate_frames
from custom_ops.streams import Stream
from custom_ops.wrapper import PlainPort, wrapper_source
from finn_flow.errors import UserError

OPS_FOLDER = Path(__file__).parent

Attributes = dict[str, tuple[Any, ...]]
Constants = dict[int, NDArray[np.int64]]


class HardwareOp(RTLBackend):
    """A FINN RTL node whose arithmetic is an integer reference function and whose hardware is one core.

    A subclass says what it is made of (`core`, `rtl_sources`), which attributes it has (`op_attributes`), what its
    streams carry (`input_streams`, `output_streams`), what its values are (`compute`) and how the core is set up
    (`core_parameters`, `memory_files`). Everything FINN asks of a node follows from that.

    Execution takes and gives float32 arrays that hold integers (float64 for types of more than 25 bits). `exec_mode`
    "" and "cppsim" run `compute`; "rtlsim" runs the generated Verilog through FINN's simulation interface. The first
    axis may hold several frames in both modes.

    Streams are numbered in the order of `input_streams`: a constant input has no stream, so that the second *stream*
    is `in1_V` even where it is the third input of the node.

    Raises
    ------
    UserError
        An attribute is illegal; raised when the node is loaded.
    """

    core: ClassVar[str]
    """Name of the core's module."""
    rtl_sources: ClassVar[tuple[str, ...]]
    """SystemVerilog files of the core and what it instantiates, relative to this package."""
    finn_rtl_sources: ClassVar[tuple[str, ...]] = ()
    """Further files, relative to FINN's RTL library."""

    def __init__(self, onnx_node: NodeProto, **kwargs: Any) -> None:
        super().__init__(onnx_node, **kwargs)
        self.validate()

    # What a subclass declares

    @abstractmethod
    def op_attributes(self) -> Attributes:
        """Return the op's own attributes as (kind, required, default[, legal values])."""

    @abstractmethod
    def validate(self) -> None:
        """Raise `UserError` unless the attributes are legal together."""

    @abstractmethod
    def input_streams(self) -> list[Stream]:
        """Return the streams of the dynamic inputs."""

    @abstractmethod
    def output_streams(self) -> list[Stream]:
        """Return the streams of the outputs."""

    @abstractmethod
    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Return the outputs for all inputs of the node (streams and constants), exactly, as int64."""

    @abstractmethod
    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        """Return the core's parameters: integers, or Verilog expressions as strings."""

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        """Return shape and type of each constant input, by its position."""
        return {}

    @property
    def core_name(self) -> str:
        """Name of the core's module where it is not the same for all nodes."""
        return self.core

    @property
    def core_sources(self) -> tuple[str, ...]:
        """SystemVerilog files where they are not the same for all nodes."""
        return self.rtl_sources

    def plain_ports(self) -> list[PlainPort]:
        """Return the ports of the core, and of the node's module, that belong to no stream."""
        return []

    def legal_parameter_shapes(self, ind: int) -> list[tuple[int, ...]]:
        """Return the shapes that constant input `ind` may have."""
        return [self.parameters()[ind][0]]

    def memory_files(self, constants: Constants) -> dict[str, list[str]]:
        """Return the `$readmemh` files by name, as lines of hexadecimal words."""
        return {}

    # Attributes

    def get_nodeattr_types(self) -> Attributes:
        """Return FINN's attributes and the op's own."""
        return {**super().get_nodeattr_types(), **self.op_attributes()}

    def attribute_datatype(self, name: str) -> BaseDataType:
        """Return the datatype named by attribute `name`."""
        try:
            return DataType[self.get_nodeattr(name)]
        except KeyError:
            raise UserError(
                f"{self.onnx_node.name}: {name} must be a datatype, not {self.get_nodeattr(name)!r}"
            ) from None

    def verify_node(self) -> list[str]:
        """Check the attributes again; part of FINN's interface."""
        self.validate()
        return []

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Take over the integer types annotated on the inputs and annotate the outputs."""
        for stream in self.input_streams():
            found = model.get_tensor_datatype(self.onnx_node.input[stream.tensor])
            if stream.attribute and found is not None and found.is_integer():
                self.set_nodeattr(stream.attribute, found.name)
        self.validate()
        for stream in self.output_streams():
            model.set_tensor_datatype(self.onnx_node.output[stream.tensor], stream.datatype)

    def make_shape_compatible_op(self, model: ModelWrapper) -> NodeProto:
        """Return a constant of the first output's shape, for shape inference; further outputs are annotated here."""
        for stream in self.output_streams()[1:]:
            model.set_tensor_shape(self.onnx_node.output[stream.tensor], list(stream.shape))
        return super().make_shape_compatible_op(model)

    # Shapes and streams

    def _input_stream(self, ind: int) -> Stream | None:
        return next((stream for stream in self.input_streams() if stream.tensor == ind), None)

    def get_input_datatype(self, ind: int = 0) -> BaseDataType:
        """Return the type of node input `ind`."""
        stream = self._input_stream(ind)
        return stream.datatype if stream else self.parameters()[ind][1]

    def get_output_datatype(self, ind: int = 0) -> BaseDataType:
        """Return the type of output `ind`."""
        return self.output_streams()[ind].datatype

    def get_normal_input_shape(self, ind: int = 0) -> tuple[int, ...]:
        """Return the shape of node input `ind`."""
        stream = self._input_stream(ind)
        return stream.shape if stream else self.parameters()[ind][0]

    def get_normal_output_shape(self, ind: int = 0) -> tuple[int, ...]:
        """Return the shape of output `ind`."""
        return self.output_streams()[ind].shape

    def get_folded_input_shape(self, ind: int = 0) -> tuple[int, ...]:
        """Return the shape of node input `ind` with the last axis cut into words; a constant has no folding."""
        stream = self._input_stream(ind)
        return stream.folded_shape if stream else self.parameters()[ind][0]

    def get_folded_output_shape(self, ind: int = 0) -> tuple[int, ...]:
        """Return the shape of output `ind` with the last axis cut into words."""
        return self.output_streams()[ind].folded_shape

    def get_instream_width(self, ind: int = 0) -> int:
        """Return the bits of a word of node input `ind`, 0 for a constant."""
        stream = self._input_stream(ind)
        return stream.width_bits if stream else 0

    def get_outstream_width(self, ind: int = 0) -> int:
        """Return the bits of a word of output `ind`."""
        return self.output_streams()[ind].width_bits

    def get_number_output_values(self) -> int | dict[str, int]:
        """Return the words per frame of the output, or of each output by its name where there are several."""
        words = [stream.words for stream in self.output_streams()]
        return words[0] if len(words) == 1 else {f"out{i}": n for i, n in enumerate(words)}

    def get_verilog_top_module_intf_names(self) -> dict[str, list]:
        """Return the wrapper's interfaces; streams are numbered without gaps."""
        return {
            **super().get_verilog_top_module_intf_names(),
            "s_axis": [(f"in{i}_V", stream.padded_bits) for i, stream in enumerate(self.input_streams())],
            "m_axis": [(f"out{i}_V", stream.padded_bits) for i, stream in enumerate(self.output_streams())],
        }

    def get_exp_cycles(self) -> int:
        """Return the initiation interval: cycles per frame in steady state."""
        return max(stream.words for stream in (*self.input_streams(), *self.output_streams()))

    # Execution

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Compute the outputs in `context`, in Python or in RTL simulation as `exec_mode` says."""
        node = self.onnx_node
        check_frames(self, context)
        if self.get_nodeattr("exec_mode") == "rtlsim":
            simulate_frames(self, context)
            return
        inputs = [
            to_integers(node.name, f"input {name}", np.asarray(context[name]), self.get_input_datatype(i))
            for i, name in enumerate(node.input)
        ]
        for name, stream, values in zip(node.output, self.output_streams(), self.compute(inputs), strict=True):
            to_integers(node.name, f"output {name}", values, stream.datatype)
            context[name] = values.astype(stream.array_type)

    # Code generation

    def constants(self, model: ModelWrapper) -> Constants:
        """Return the constant inputs as integers.

        Raises
        ------
        UserError
            A constant is missing or of another shape.
        FlowError
            A value does not fit its type.
        """
        node = self.onnx_node
        found: Constants = {}
        for ind, (_, datatype) in self.parameters().items():
            values = model.get_initializer(node.input[ind])
            legal = self.legal_parameter_shapes(ind)
            if values is None or values.shape not in legal:
                shapes = alternatives(list(shape) for shape in legal)
                what = "a dynamic tensor" if values is None else f"of shape {list(values.shape)}"
                raise UserError(
                    f"{node.name}: input {node.input[ind]} must be a constant of shape {shapes}, not {what}"
                )
            found[ind] = to_integers(node.name, f"input {node.input[ind]}", values, datatype)
        return found

    def generate_params(self, model: ModelWrapper, path: str | Path, fpgapart: str | None = None) -> None:
        """Write the memory files into folder `path`."""
        for name, lines in self.memory_files(self.constants(model)).items():
            (Path(path) / name).write_text("\n".join(lines) + "\n")

    def generate_hdl(self, model: ModelWrapper, fpgapart: str, clk: float) -> None:
        """Write wrapper and memory files into `code_gen_dir_ipgen`."""
        self.validate()
        folder = Path(self.get_nodeattr("code_gen_dir_ipgen"))
        module = self.get_verilog_top_module_name()
        self.set_nodeattr("gen_top_module", module)
        self.generate_params(model, folder, fpgapart)
        parameters = self.core_parameters(self.constants(model))
        streams = self.input_streams(), self.output_streams()
        source = wrapper_source(module, self.core_name, parameters, *streams, self.plain_ports())
        (folder / f"{module}.v").write_text(source)
        self.set_nodeattr("ipgen_path", str(folder))
        self.set_nodeattr("ip_path", str(folder))

    def get_rtl_file_list(self, abspath: bool = False) -> list[str]:
        """Return the RTL files, the wrapper last: absolute paths, or bare names."""
        files = [OPS_FOLDER / name for name in self.core_sources]
        files += [Path(get_settings().finn_rtllib) / name for name in self.finn_rtl_sources]
        files.append(Path(self.get_nodeattr("code_gen_dir_ipgen")) / f"{self.get_nodeattr('gen_top_module')}.v")
        return [str(file) if abspath else file.name for file in files]

    def code_generation_ipi(self) -> list[str]:
        """Return the Tcl that adds the files and instantiates the wrapper in a block design."""
        commands = [f"add_files -norecurse {file}" for file in self.get_rtl_file_list(abspath=True)]
        module = self.get_nodeattr("gen_top_module")
        return [*commands, f"create_bd_cell -type module -reference {module} {self.onnx_node.name}"]

    def memory_file_name(self, what: str) -> str:
        """Return the name of the memory file for `what`; unique among the nodes of a model."""
        return f"{self.onnx_node.name}_{what}.dat"


def fifo_luts(width_bits: int, depth: int) -> int:
    """Return the estimated LUTs of a credit FIFO: one shift register LUT per bit and 32 words, and its counters."""
    return width_bits * math.ceil(depth / 32) + 12
