"""FINN's own RTL nodes through `exec_mode="rtlsim"`, against FINN's Python execution."""

from pathlib import Path

import numpy as np
import pytest

from finn_flow.errors import FlowError
from finn_flow.finn_adapter.xsi import compile_sim_obj, rtlsim_multi_io
from finn_flow.verilator import SimulationBuildError, SimulationHang, toolchain
from tests.finn_flow.finn_adapter.finn_nodes import (
    Node,
    execute_onnx,
    getCustomOp,
    mvau,
    prepare,
    prepared,
    run_python,
    run_rtl,
)


def thresholding(input_type: str, bits: int, channels: int, pe: int, per_channel: bool, act_val: int = 0) -> Node:
    rng = np.random.default_rng(channels + bits)
    steps = 2**bits - 1
    low, high = (-100, 100) if input_type.startswith("INT") else (1, 200)
    thresholds = np.sort(rng.integers(low, high, (channels if per_channel else 1, steps)), axis=1)
    output_type = f"INT{bits}" if act_val else f"UINT{bits}"
    return Node(
        "Thresholding_rtl",
        (1, 3, 4, channels),
        input_type,
        (1, 3, 4, channels),
        output_type,
        {
            "NumChannels": channels,
            "PE": pe,
            "numSteps": steps,
            "inputDataType": input_type,
            "weightDataType": input_type,
            "outputDataType": output_type,
            "numInputVectors": [1, 3, 4],
            "ActVal": act_val,
        },
        thresholds,
        input_type,
    )


def swg(
    data_type: str, dim: tuple[int, int], channels: int, simd: int, kernel: int, stride: int, **attributes: int
) -> Node:
    out = [(size - kernel) // stride + 1 for size in dim]
    return Node(
        "ConvolutionInputGenerator_rtl",
        (1, *dim, channels),
        data_type,
        (1, *out, kernel * kernel * channels),
        data_type,
        {
            "ConvKernelDim": [kernel, kernel],
            "IFMChannels": channels,
            "IFMDim": list(dim),
            "OFMDim": out,
            "SIMD": simd,
            "Stride": [stride, stride],
            "Dilation": [1, 1],
            "inputDataType": data_type,
            "outputDataType": data_type,
            **attributes,
        },
    )


def padding(data_type: str, dim: tuple[int, int], pad: list[int], channels: int, simd: int) -> Node:
    out = (dim[0] + pad[0] + pad[2], dim[1] + pad[1] + pad[3])
    return Node(
        "FMPadding_rtl",
        (1, *dim, channels),
        data_type,
        (1, *out, channels),
        data_type,
        {"ImgDim": list(dim), "Padding": pad, "NumChannels": channels, "SIMD": simd, "inputDataType": data_type},
    )


def width_converter(data_type: str, bits: int, channels: int, in_pe: int, out_pe: int) -> Node:
    shape = (1, 3, 4, channels)
    return Node(
        "StreamingDataWidthConverter_rtl",
        shape,
        data_type,
        shape,
        data_type,
        {
            "inShape": list(shape),
            "outShape": list(shape),
            "inWidth": in_pe * bits,
            "outWidth": out_pe * bits,
            "dataType": data_type,
        },
    )


def fifo(data_type: str, depth: int, ram_style: str = "auto") -> Node:
    return Node(
        "StreamingFIFO_rtl",
        (1, 4, 4, 6),
        data_type,
        (1, 4, 4, 6),
        data_type,
        {
            "depth": depth,
            "folded_shape": [1, 4, 4, 2, 3],
            "normal_shape": [1, 4, 4, 6],
            "dataType": data_type,
            "ram_style": ram_style,
        },
    )


NODES = {
    "mvau_4bit_unsigned": mvau("UINT4", "INT4", 12, 8, simd=3, pe=4),
    "mvau_8bit_signed": mvau("INT8", "INT8", 8, 6, simd=8, pe=2),
    "mvau_unfolded": mvau("UINT8", "INT4", 6, 6, simd=6, pe=6),
    "mvau_pumped": mvau("INT4", "INT4", 8, 8, simd=4, pe=2, pumped=True),
    "thresholding_signed_per_channel": thresholding("INT9", 3, 6, pe=2, per_channel=True),
    "thresholding_unsigned_per_tensor": thresholding("UINT8", 4, 4, pe=4, per_channel=False),
    "thresholding_signed_output": thresholding("INT8", 3, 4, pe=1, per_channel=True, act_val=-4),
    "swg_default": swg("UINT4", (6, 7), 4, simd=2, kernel=3, stride=1),
    "swg_default_stride_2_signed": swg("INT3", (7, 7), 2, simd=2, kernel=3, stride=2),
    "swg_depthwise": swg("INT4", (6, 5), 4, simd=2, kernel=3, stride=1, depthwise=1),
    "swg_parallel_window": swg("UINT4", (6, 6), 4, simd=4, kernel=3, stride=1, parallel_window=1),
    "swg_parallel_window_depthwise": swg("INT4", (5, 6), 4, simd=2, kernel=3, stride=1, parallel_window=1, depthwise=1),
    "padding_unsigned": padding("UINT4", (5, 4), [1, 1, 1, 1], 4, simd=2),
    "padding_signed_uneven": padding("INT3", (4, 6), [0, 1, 1, 2], 3, simd=3),
    "width_down": width_converter("INT5", 5, 12, in_pe=12, out_pe=4),
    "width_up": width_converter("UINT4", 4, 12, in_pe=2, out_pe=12),
    "width_no_divisor": width_converter("INT8", 8, 12, in_pe=4, out_pe=6),
}
FIFOS = {"srl": fifo("INT4", 16), "distributed": fifo("UINT8", 64), "block": fifo("INT8", 300, "block")}


@pytest.mark.parametrize("name", NODES)
def test_rtl_equals_python(name: str) -> None:
    node = NODES[name]
    inputs = node.random_input(seed=sorted(NODES).index(name))
    expected = run_python(node, inputs)
    assert len(np.unique(expected)) > 2
    np.testing.assert_array_equal(run_rtl(node, inputs), expected)


@pytest.mark.parametrize("name", FIFOS)
def test_fifo_keeps_the_words(name: str) -> None:
    """FINN's node never simulates a FIFO by itself, so its RTL is driven directly."""
    node = FIFOS[name]
    operation = getCustomOp(prepared(node).graph.node[0])
    words = [int(word) for word in np.random.default_rng(1).integers(0, 2**12, 500)]
    io_dict: dict[str, dict[str, list[int]]] = {"inputs": {"in0": words}, "outputs": {"out0": []}}
    simulation = operation.get_rtlsim()
    operation.reset_rtlsim(simulation)
    cycles = rtlsim_multi_io(simulation, io_dict, len(words), sname="_V")
    operation.close_rtlsim(simulation)
    assert io_dict["outputs"]["out0"] == words
    assert len(words) < cycles < len(words) + 10


def test_waveform_of_a_node(tmp_path: Path) -> None:
    node = NODES["width_up"]
    model = node.model()
    trace = tmp_path / "trace.wdb"
    getCustomOp(model.graph.node[0]).set_nodeattr("rtlsim_trace", str(trace))
    inputs = node.random_input(seed=0)
    output = execute_onnx(prepare(model), inputs)["outp"]
    np.testing.assert_array_equal(output, run_python(node, inputs))
    assert "in0_V_TDATA" in trace.with_suffix(".vcd").read_text()


def test_equal_nodes_share_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    node = NODES["thresholding_signed_output"]
    prepared(node)

    def refuse(*arguments: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(toolchain, "run_compiler", refuse)
    prepared(node)


def test_hang_of_a_node_is_reported() -> None:
    operation = getCustomOp(prepared(NODES["width_up"]).graph.node[0])
    simulation = operation.get_rtlsim()
    operation.reset_rtlsim(simulation)
    io_dict: dict[str, dict[str, list[int]]] = {"inputs": {"in0": [1] * 6}, "outputs": {"out0": []}}
    with pytest.raises(SimulationHang, match="output out0_V: 1 of 2 words produced"):
        rtlsim_multi_io(simulation, io_dict, 2, sname="_V", liveness_threshold=100)
    with pytest.raises(FlowError, match="has no stream out9_V; it has in0_V, out0_V"):
        rtlsim_multi_io(simulation, io_dict, {"out9": 1}, sname="_V")
    operation.close_rtlsim(simulation)
    operation.close_rtlsim(simulation)
    assert not simulation.is_open()
    with pytest.raises(FlowError, match="has been closed"):
        operation.reset_rtlsim(simulation)


def test_vhdl_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SimulationBuildError, match=r"Verilator reads Verilog and SystemVerilog, not core\.vhd"):
        compile_sim_obj("core", [str(tmp_path / "core.vhd")], tmp_path)
