"""The looped stage in hardware: a body of hardware nodes that every frame goes through `iterations` times."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
from finn.util.fpgadataflow import is_fpgadataflow_node
from numpy.typing import NDArray
from onnx import GraphProto
from qonnx.core.datatype import BaseDataType, DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.util.basic import get_by_name

from custom_ops.base import Attributes, Constants, HardwareOp
from custom_ops.checks import check_at_least, check_divides, check_integer, check_one_of, to_integers
from custom_ops.fifo_memory import RAM_STYLES, fifo_memory_depth, resolve_ram_style, uram
from custom_ops.graph_execution import run_nodes
from custom_ops.memory import bram_18k, luts_of_memory
from custom_ops.ode_loop.body import BodyAttribute
from custom_ops.rtl_execution import check_frames
from custom_ops.streams import Stream
from custom_ops.wrapper import wrapper_source
from finn_flow.errors import FlowError, UserError

_SOURCES = "sources.f"


class ODELoop_rtl(BodyAttribute, HardwareOp):
    """Sends each frame through `body` `iterations` times; the state between two passes stays on chip.

    Input and output: the state [1, H, W, C], same shape and type. In hardware merge -> body -> split with a feedback
    FIFO (core `ode_loop`), up to `frames_in_flight` frames interleaved, order kept.

    Where the body holds `bodies` solver iterations in a row (`UnrollBodies`), `iterations` counts passes: the solver's
    iterations / bodies.

    The body is a graph of hardware nodes: its first input is the state, its one output the next state. If some nodes
    depend on the iteration, its second input is the iteration number, a tensor of shape [1], and each consumer gets an
    index stream of its own, numbered as in `index_consumers`.

    Streams: `in0_V`, `out0_V` of the whole stage. The generated *control* module is the stage without its body:

    ========== ========================================= ================================================
    port       carries                                   joins
    ========== ========================================= ================================================
    in0_V      frames that come in                       the stage's in0_V
    in1_V      frames that leave the body                the body's output
    out0_V     finished frames                           the stage's out0_V
    out1_V     frames that go into the body              the body's state input
    out2_V ... iteration number, one word per pass       `index_consumers()[0]`, ...
    ========== ========================================= ================================================

    Cycles: `iterations` x (cycles of the slowest body node) per frame, if `frames_in_flight` is what
    `schedule.choose_frames_in_flight` says (or more) and frames follow back to back.

    Execution runs the body's nodes, each in its own `exec_mode`; the loop's own `exec_mode` has no effect.
    """

    core = "ode_loop"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/stream_fifo.sv",
        "rtl_common/stream_queue.sv",
        "ode_loop/rtl/ode_loop_word_counter.sv",
        "ode_loop/rtl/ode_loop_input.sv",
        "ode_loop/rtl/ode_loop_merge.sv",
        "ode_loop/rtl/ode_loop_split.sv",
        "ode_loop/rtl/ode_loop.sv",
    )

    def op_attributes(self) -> Attributes:
        """Return the loop's attributes; the RAM styles are those of the feedback and the input FIFO."""
        return {
            **self.body_attribute_types(),
            "iterations": ("i", True, 0),
            "bodies": ("i", False, 1),
            "frames_in_flight": ("i", False, 1),
            "PE": ("i", True, 0),
            "inputDataType": ("s", True, ""),
            "outputDataType": ("s", True, ""),
            "feedback_ram_style": ("s", False, "auto", set(RAM_STYLES)),
            "input_ram_style": ("s", False, "auto", set(RAM_STYLES)),
        }

    def validate(self) -> None:
        """Check the attributes and that the state closes: same shape and type at both ends of the body."""
        name = self.onnx_node.name
        check_at_least(name, "iterations", self.get_nodeattr("iterations"), 2)
        check_at_least(name, "bodies", self.get_nodeattr("bodies"), 1)
        check_at_least(name, "frames_in_flight", self.get_nodeattr("frames_in_flight"), 1)
        graph = self._body_graph()
        if not 1 <= len(graph.input) <= 2 or len(graph.output) != 1:
            raise UserError(
                f"{name}: the body must have the state (and the iteration number) as inputs and one output, "
                f"not {len(graph.input)} inputs and {len(graph.output)} outputs"
            )
        before, after = _shape(graph, "input"), _shape(graph, "output")
        if before != after:
            raise UserError(f"{name}: the body must keep the state's shape, not turn {list(before)} into {list(after)}")
        check_divides(name, "PE", self.get_nodeattr("PE"), "the state's channels", before[-1])
        state = self.attribute_datatype("inputDataType")
        check_integer(name, "inputDataType", state, (1, 32))
        check_one_of(name, "outputDataType", self.get_nodeattr("outputDataType"), [state.name])

    def _body_graph(self) -> GraphProto:
        """Return the body itself, to read only; `get_nodeattr("body")` copies it."""
        attribute = get_by_name(self.onnx_node.attribute, "body")
        if attribute is None:
            raise FlowError(f"{self.onnx_node.name}: {self.onnx_node.op_type} must have a graph attribute 'body'")
        return attribute.g

    # Streams

    def _state_stream(self, port: str, attribute: str = "") -> Stream:
        datatype = self.attribute_datatype("inputDataType")
        return Stream(0, _shape(self._body_graph(), "input"), datatype, self.get_nodeattr("PE"), port, attribute)

    def input_streams(self) -> list[Stream]:
        """Return the stage's input."""
        return [self._state_stream("s_axis", "inputDataType")]

    def output_streams(self) -> list[Stream]:
        """Return the stage's output."""
        return [self._state_stream("m_axis")]

    def control_input_streams(self) -> list[Stream]:
        """Return the inputs of the control module: the stage's and the body's output."""
        return [*self.input_streams(), self._state_stream("from_body")]

    def control_output_streams(self) -> list[Stream]:
        """Return the outputs of the control module: the stage's, the body's input, one index stream per consumer."""
        index = Stream(1, (1,), self.index_datatype, 1, "m_index")
        return [*self.output_streams(), self._state_stream("to_body"), *[index] * len(self.index_consumers())]

    @property
    def index_datatype(self) -> BaseDataType:
        """Type of the iteration number on the index streams: the narrowest that holds `iterations` - 1."""
        return DataType.get_smallest_possible(self.get_nodeattr("iterations") - 1)

    def index_consumers(self) -> list[tuple[str, int]]:
        """Return name and input position of each body node that reads the iteration number, in graph order."""
        graph = self._body_graph()
        if len(graph.input) < 2:
            return []
        index = graph.input[1].name
        return [(node.name, i) for node in graph.node for i, name in enumerate(node.input) if name == index]

    # Cycles and memory

    @property
    def frames_in_flight(self) -> int:
        """Frames that may be in the loop at once."""
        return self.get_nodeattr("frames_in_flight")

    @property
    def body_ii_cycles(self) -> int:
        """Cycles of the slowest body node for one pass, and no fewer than the words of a frame.

        Raises
        ------
        FlowError
            The body holds a node that is no hardware.
        """
        cycles = [self.input_streams()[0].words]
        for node in self._body_graph().node:
            if not is_fpgadataflow_node(node):
                raise FlowError(f"{self.onnx_node.name}: body node {node.name} ({node.op_type}) is not a hardware node")
            cycles.append(int(getCustomOp(node).get_exp_cycles()))
        return max(cycles)

    def get_exp_cycles(self) -> int:
        """Return the initiation interval: iterations x the body's."""
        return self.get_nodeattr("iterations") * self.body_ii_cycles

    @property
    def feedback_fifo_bits(self) -> int:
        """Bits that the feedback FIFO holds: `frames_in_flight` frames."""
        width_bits, depth, _ = self._fifos()["feedback"]
        return width_bits * depth

    def _fifos(self) -> dict[str, tuple[int, int, str]]:
        """Return width in bits, depth in words and kind of RAM of the two FIFOs."""
        state = self.input_streams()[0]
        depths = {"feedback": self.frames_in_flight * state.words, "input": state.words + 2}
        styles = {
            fifo: resolve_ram_style(self.get_nodeattr(f"{fifo}_ram_style"), state.width_bits, fifo_memory_depth(depth))
            for fifo, depth in depths.items()
        }
        return {fifo: (state.width_bits, depth, styles[fifo]) for fifo, depth in depths.items()}

    def _blocks(self, style: str, blocks: Callable[[int, int], int]) -> int:
        """Return the sum of `blocks(width, depth)` over the FIFOs in memories of kind `style`."""
        fifos = [(bits, fifo_memory_depth(depth)) for bits, depth, kind in self._fifos().values() if kind == style]
        return sum(blocks(bits, depth) for bits, depth in fifos)

    def bram_estimation(self, fpgapart: str) -> int:
        """Return the RAMB18 of the loop's two FIFOs; the body's nodes count for themselves."""
        return self._blocks("block", bram_18k)

    def uram_estimation(self, fpgapart: str) -> int:
        """Return the URAM288 of the loop's two FIFOs; the body's nodes count for themselves."""
        return self._blocks("ultra", uram)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return the LUTs of merge, split and FIFOs, fitted to open synthesis of three sizes of the core.

        Per bit of a word one for a multiplexer and 1.25 for two queues; the rest counts words, frames and passes.
        """
        state = self.input_streams()[0]
        counters = 110 + 4 * math.ceil(math.log2(max(2, state.words))) + 10 * self.frames_in_flight
        index_queues = 30 * len(self.index_consumers())
        per_word = math.ceil(2.25 * state.width_bits)
        return self._blocks("distributed", luts_of_memory) + per_word + counters + index_queues

    # Execution

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Return the state after the last iteration; the first axis may hold several frames."""
        body = self.get_nodeattr("body")
        names, output = [value.name for value in body.graph.input], body.graph.output[0].name
        at_once = _shape(body.graph, "input")[0]
        results = []
        for start in range(0, len(inputs[0]), at_once):
            state = inputs[0][start : start + at_once].astype(np.float32)
            for iteration in range(self.get_nodeattr("iterations")):
                values = [state, np.array([iteration], dtype=np.float32)]
                state = run_nodes(body, dict(zip(names, values, strict=False)), {output})[output]
            results.append(state)
        return [np.rint(np.concatenate(results)).astype(np.int64)]

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Run the loop on the arrays of `context`."""
        node = self.onnx_node
        check_frames(self, context)
        state = self.attribute_datatype("inputDataType")
        frames = to_integers(node.name, f"input {node.input[0]}", np.asarray(context[node.input[0]]), state)
        (result,) = self.compute([frames])
        context[node.output[0]] = to_integers(node.name, f"output {node.output[0]}", result, state).astype(np.float32)

    # Code generation

    @property
    def control_module_name(self) -> str:
        """Name of the generated module that is the stage without its body."""
        return f"{self.get_verilog_top_module_name()}_control"

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        """Return the parameters of the core `ode_loop`."""
        state = self.input_streams()[0]
        fifos = self._fifos()
        return {
            "DATA_WIDTH": state.width_bits,
            "WORDS_PER_FRAME": state.words,
            "ITERATIONS": self.get_nodeattr("iterations"),
            "FRAMES_IN_FLIGHT": self.frames_in_flight,
            "NUM_INDEX": len(self.index_consumers()),
            "FEEDBACK_RAM_STYLE": f'"{fifos["feedback"][2]}"',
            "INPUT_RAM_STYLE": f'"{fifos["input"][2]}"',
        }

    @staticmethod
    def list_generated(folder: Path, sources: Iterable[Path]) -> None:
        """Make `sources` the RTL files of the loop whose `code_gen_dir_ipgen` is `folder`: control and body."""
        (folder / _SOURCES).write_text("".join(f"{path}\n" for path in sources))

    def get_rtl_file_list(self, abspath: bool = False) -> list[str]:
        """Return the RTL files: those of the control, or of the whole loop if `list_generated` has named them."""
        listed = Path(self.get_nodeattr("code_gen_dir_ipgen")) / _SOURCES
        if not listed.is_file():
            return super().get_rtl_file_list(abspath)
        return [path if abspath else Path(path).name for path in listed.read_text().splitlines()]

    def generate_hdl(self, model: ModelWrapper, fpgapart: str, clk: float) -> None:
        """Write the control module into `code_gen_dir_ipgen`; the netlist joins it with the body's nodes.

        `ip_path` is left alone, so that FINN does not take the control for the whole loop.
        """
        self.validate()
        folder = Path(self.get_nodeattr("code_gen_dir_ipgen"))
        source = wrapper_source(
            self.control_module_name,
            self.core,
            self.core_parameters({}),
            self.control_input_streams(),
            self.control_output_streams(),
        )
        (folder / f"{self.control_module_name}.v").write_text(source)
        self.set_nodeattr("gen_top_module", self.control_module_name)
        self.set_nodeattr("ipgen_path", str(folder))


def _shape(graph: GraphProto, end: str) -> tuple[int, ...]:
    """Return the shape annotated on the graph's first input or output."""
    dims = getattr(graph, end)[0].type.tensor_type.shape.dim
    return tuple(dim.dim_value for dim in dims)
