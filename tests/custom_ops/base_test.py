"""The one test class for hardware ops: reference, node and RTL agree exactly; a subclass gives parameters only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
from finn.transformation.fpgadataflow.prepare_rtlsim import PrepareRTLSim
from numpy.typing import NDArray
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp
from qonnx.util.basic import qonnx_make_model

import custom_ops  # noqa: F401 (registers the ops)
from custom_ops.base import HardwareOp
from custom_ops.hardware import DOMAIN
from custom_ops.streams import Stream
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.rtl_lint import lint_messages, own_cores
from finn_flow.verilator import Design, SimulationResult, Stall, StreamPort, pack, simulate, unpack
from tests.gate_level import gate_level
from tests.second_front_end import front_end_errors

Integers = NDArray[np.int64]

STALLS = {
    "none": Stall.none(),
    "idle": Stall.random(p_input=0.4, p_output=0.0, seed=1),
    "backpressure": Stall.random(p_input=0.0, p_output=0.4, seed=2),
    "both": Stall.random(p_input=0.3, p_output=0.3, seed=3),
    "bursts": Stall.random(p_input=0.5, p_output=0.5, seed=4, burst_cycles=12),
}
FRAMES = 7
PART = "xczu7ev-ffvc1156-2-e"


@dataclass(frozen=True)
class Case:
    """One parameter set: the node's attributes, and its constant inputs by position."""

    attributes: Mapping[str, Any]
    constants: Mapping[int, Integers] = field(default_factory=dict)


def make_model(op_type: str, case: Case, inputs: int = 1, outputs: int = 1) -> ModelWrapper:
    """Return a model of a single node whose inputs are `in0`, `in1`, ... by position and outputs `out0`, ..."""
    node = helper.make_node(
        op_type,
        [f"in{i}" for i in range(inputs)],
        [f"out{i}" for i in range(outputs)],
        name="node",
        domain=DOMAIN,
        backend="fpgadataflow",
        **case.attributes,
    )
    op = getCustomOp(node)
    sides = [(node.input, op.input_streams()), (node.output, op.output_streams())]
    tensors = [
        [helper.make_tensor_value_info(names[s.tensor], TensorProto.FLOAT, s.shape) for s in streams]
        for names, streams in sides
    ]
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "graph", *tensors)))
    for i, values in case.constants.items():
        model.set_initializer(f"in{i}", values.astype(np.float64 if np.abs(values).max() > 2**24 else np.float32))
        model.set_tensor_datatype(f"in{i}", op.get_input_datatype(i))
    for names, streams in sides:
        for s in streams:
            model.set_tensor_datatype(names[s.tensor], s.datatype)
    return model


class HardwareOpTest:
    """Inherit, set `op_type` and `cases`, and say in `expected` what the outputs are."""

    op_type: ClassVar[str]
    node_inputs: ClassVar[int] = 1
    cases: ClassVar[Mapping[str, Case]]
    gate_level_cases: ClassVar[tuple[str, ...]] = ()
    """The cases that are simulated as mapped cells, too: without block RAM. The first, if not given."""

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        """Return the outputs of one frame, straight from the reference."""
        raise NotImplementedError

    def draw(self, stream: Stream, case: Case, rng: np.random.Generator) -> Integers:
        """Return one frame of values for an input: the whole range of its type."""
        return rng.integers(int(stream.datatype.min()), int(stream.datatype.max()), stream.shape, endpoint=True)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "case_name" in metafunc.fixturenames:
            names = list(metafunc.cls.cases)
            # These need a build of their own.
            once = {
                "test_finn_rtlsim_equals_reference": names[:1],
                "test_gates_equal_reference": list(self.gate_level_cases) or names[:1],
            }
            metafunc.parametrize("case_name", once.get(metafunc.function.__name__, names))

    @pytest.fixture
    def case(self, case_name: str) -> Case:
        return self.cases[case_name]

    @pytest.fixture
    def model(self, case: Case) -> ModelWrapper:
        """Model of the node, with its RTL generated into the build folder."""
        ensure_finn()
        return self.make_model(case).transform(PrepareIP(PART, 5.0))

    def make_model(self, case: Case) -> ModelWrapper:
        return make_model(self.op_type, case, self.node_inputs, case.attributes.get("NumOutputs", 1))

    def frames(self, op: HardwareOp, case: Case, count: int = FRAMES) -> list[dict[int, Integers]]:
        rng = np.random.default_rng(len(str(case.attributes)))
        return [{s.tensor: self.draw(s, case, rng) for s in op.input_streams()} for _ in range(count)]

    def run(
        self,
        model: ModelWrapper,
        case: Case,
        count: int = FRAMES,
        replaced_by: Callable[[Design], Design] = lambda design: design,
        **options: Any,
    ) -> SimulationResult:
        """Simulate `count` frames and require the exact outputs and nothing after them.

        `replaced_by` gives the design that stands for the RTL.
        """
        op = getCustomOp(model.graph.node[0])
        frames = self.frames(op, case, count)
        inputs = {f"in{i}_V": s for i, s in enumerate(op.input_streams())}
        outputs = {f"out{i}_V": s for i, s in enumerate(op.output_streams())}
        design = Design(
            op.get_verilog_top_module_name(),
            [Path(file) for file in op.get_rtl_file_list(abspath=True)],
            [StreamPort(name, s.width_bits) for name, s in inputs.items()],
            [StreamPort(name, s.width_bits) for name, s in outputs.items()],
            data_files=[Path(op.get_nodeattr("code_gen_dir_ipgen"))],
            constants={port.name: 0 for port in op.plain_ports() if port.is_input},
        )
        words = {
            name: pack(np.concatenate([f[s.tensor].reshape(-1, s.pe) for f in frames]), s.datatype.bitwidth())
            for name, s in inputs.items()
        }
        result = simulate(
            replaced_by(design),
            words,
            {name: count * s.words for name, s in outputs.items()},
            words_per_frame={name: s.words for name, s in (inputs | outputs).items()},
            max_idle_cycles=2000,
            drain_cycles=50,
            **options,
        )
        expected = [self.expected(case, frame) for frame in frames]
        for i, (name, s) in enumerate(outputs.items()):
            found = unpack(result.outputs[name], s.pe, s.datatype.bitwidth(), s.datatype.signed())
            found = found.reshape(count, *s.shape[1:]) if s.shape[0] == 1 else found.reshape(count, *s.shape)
            wanted = np.stack([frame[i] for frame in expected]).reshape(found.shape)
            np.testing.assert_array_equal(found, wanted, err_msg=f"{name}, first axis is the frame")
            assert result.streams[name].surplus_words == 0
        return result

    def test_node_execution_equals_reference(self, case_name: str, case: Case) -> None:
        model = self.make_model(case)
        op = getCustomOp(model.graph.node[0])
        for frame in self.frames(op, case, 2):
            feed = {f"in{i}": values.astype(np.float32) for i, values in frame.items()}
            found = execute_onnx(model, feed)
            for i, wanted in enumerate(self.expected(case, frame)):
                np.testing.assert_array_equal(found[f"out{i}"], wanted)

    @pytest.mark.parametrize("stall", STALLS)
    def test_rtl_equals_reference(self, case_name: str, case: Case, model: ModelWrapper, stall: str) -> None:
        self.run(model, case, stall=STALLS[stall], random_seed=1)

    def test_rtl_stays_exact_over_many_frames(self, case_name: str, case: Case, model: ModelWrapper) -> None:
        for seed in range(6):
            stall = Stall.random((0.05, 0.2, 0.5)[seed % 3], (0.0, 0.4)[seed % 2], seed, (None, 3, 20)[seed % 3])
            self.run(model, case, count=60, stall=stall, idle_between_frames=(0, 0, 7)[seed % 3])

    def test_wrapper_and_core_lint_together(self, case_name: str, case: Case, model: ModelWrapper) -> None:
        """Clean lint proves that the widths computed in Python and in RTL are the same."""
        op = getCustomOp(model.graph.node[0])
        files = [Path(file) for file in op.get_rtl_file_list(abspath=True)]
        generated = [file for file in files if file.parent == Path(op.get_nodeattr("code_gen_dir_ipgen"))]
        assert lint_messages(op.get_verilog_top_module_name(), [*own_cores().values(), *generated]) == ""

    def test_a_second_front_end_has_no_objection(self, case_name: str, model: ModelWrapper, tmp_path: Path) -> None:
        op = getCustomOp(model.graph.node[0])
        files = [Path(file) for file in op.get_rtl_file_list(abspath=True)]
        assert front_end_errors(op.get_verilog_top_module_name(), files, tmp_path) == ""

    def test_rtl_takes_expected_cycles(self, case_name: str, case: Case, model: ModelWrapper) -> None:
        result = self.run(model, case)
        cycles = getCustomOp(model.graph.node[0]).get_exp_cycles()
        ends = result.streams["out0_V"].frame_end_cycles
        assert np.diff(ends)[1:].tolist() == [cycles] * (FRAMES - 2)

    def test_rtl_drains_single_frames(self, case_name: str, case: Case, model: ModelWrapper) -> None:
        self.run(model, case, count=3, frames_in_flight=1)

    def test_rtl_after_reset_in_mid_frame(self, case_name: str, case: Case, model: ModelWrapper) -> None:
        cycles = getCustomOp(model.graph.node[0]).get_exp_cycles()
        for fraction in (0.4, 1.5):
            self.run(model, case, stall=STALLS["both"], reset_at_cycle=max(2, int(fraction * cycles)), random_seed=2)

    def test_gates_equal_reference(self, case_name: str, case: Case, model: ModelWrapper, tmp_path: Path) -> None:
        """What open synthesis makes of the node, cell by cell, under stalls and after a reset in mid-frame."""
        cycles = getCustomOp(model.graph.node[0]).get_exp_cycles()
        for options in ({}, {"reset_at_cycle": max(2, int(1.5 * cycles))}):
            stall = STALLS["both"]
            self.run(model, case, replaced_by=lambda d: gate_level(d, tmp_path), stall=stall, random_seed=3, **options)

    def test_finn_rtlsim_equals_reference(self, case_name: str, case: Case, model: ModelWrapper) -> None:
        model = model.transform(PrepareRTLSim())
        op = getCustomOp(model.graph.node[0])
        op.set_nodeattr("exec_mode", "rtlsim")
        (frame,) = self.frames(op, case, 1)
        found = execute_onnx(model, {f"in{i}": values.astype(np.float32) for i, values in frame.items()})
        for i, wanted in enumerate(self.expected(case, frame)):
            np.testing.assert_array_equal(found[f"out{i}"], wanted)
        assert op.get_nodeattr("cycles_rtlsim") > 0
