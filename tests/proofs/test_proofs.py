"""The proofs see what they are for: they fail on designs with faults. `make prove` runs the proofs themselves."""

import pytest

from tests.proofs.catalogue import CREDIT_FIFOS, FIFOS, FORKS, LOOPS, PROOFS, QUEUES, SPLITS
from tests.proofs.engine import CORES, Proof, prove

CYCLES = 24
"""Within which a fault must show."""

_LOOP = "ode_loop/rtl/ode_loop"
FAULTS = {
    "queue takes a word too many": (
        QUEUES[1],
        "rtl_common/stream_queue.sv",
        "level_d != LEVEL_WIDTH'(DEPTH)",
        "level_d != LEVEL_WIDTH'(DEPTH + 1)",
    ),
    "queue reads from the wrong place": (
        QUEUES[2],
        "rtl_common/stream_queue.sv",
        "memory[read_address_q]",
        "memory[write_address_q]",
    ),
    "queue keeps words over a reset": (QUEUES[1], "rtl_common/stream_queue.sv", "      level_q <= '0;\n", ""),
    "FIFO says full too late": (
        FIFOS[4],
        "rtl_common/stream_fifo.sv",
        "push ? DEPTH - 1 : DEPTH",
        "DEPTH",
    ),
    "FIFO's memory is a word short": (FIFOS[5], "rtl_common/stream_fifo.sv", "? DEPTH - 2 : 2", "? DEPTH - 3 : 2"),
    "FIFO overwrites its output": (
        FIFOS[2],
        "rtl_common/stream_fifo.sv",
        "(!output_valid_q || m_axis_tready);",
        "1'b1;",
    ),
    "FIFO never shows its last word": (
        FIFOS[2],
        "rtl_common/stream_fifo.sv",
        "(in_memory_q != '0) &&",
        "(in_memory_q > 1) &&",
    ),
    "credit for a place that is not there": (
        CREDIT_FIFOS[1],
        "rtl_common/credit_fifo.sv",
        "free_q <= COUNT_WIDTH'(DEPTH);",
        "free_q <= COUNT_WIDTH'(DEPTH + 1);",
    ),
    "credit that never comes back": (
        CREDIT_FIFOS[0],
        "rtl_common/credit_fifo.sv",
        "COUNT_WIDTH'(pop) - COUNT_WIDTH'(reserve)",
        "- COUNT_WIDTH'(reserve)",
    ),
    "fork gives a word to one output only": (
        FORKS[0],
        "fork/rtl/fork_stream.sv",
        ".s_axis_tvalid(s_axis_tvalid && s_axis_tready)",
        ".s_axis_tvalid(s_axis_tvalid)",
    ),
    "split ends passes a word early": (
        SPLITS[1],
        f"{_LOOP}_word_counter.sv",
        "WIDTH'(WORDS_PER_FRAME - 2)",
        "WIDTH'(WORDS_PER_FRAME - 1)",
    ),
    "split sends a last pass back": (
        SPLITS[0],
        f"{_LOOP}_split.sv",
        "s_token_tvalid && !s_token_tdata",
        "s_token_tvalid",
    ),
    "merge lets one frame too many in": (
        LOOPS[0],
        f"{_LOOP}_merge.sv",
        "returning < RETURNING_WIDTH'(FRAMES_IN_FLIGHT)",
        "returning <= RETURNING_WIDTH'(FRAMES_IN_FLIGHT)",
    ),
    "merge admits a frame that is not complete": (
        LOOPS[4],
        f"{_LOOP}_merge.sv",
        "(frame_buffered_next &&",
        "(s_axis_tvalid &&",
    ),
    "merge changes its mind within a pass": (
        LOOPS[1],
        f"{_LOOP}_merge.sv",
        "boundary ? s_feedback_tvalid : from_feedback_q",
        "s_feedback_tvalid",
    ),
    "merge makes a pass too few": (
        LOOPS[0],
        f"{_LOOP}_merge.sv",
        "ITERATION_WIDTH'(ITERATIONS - 1)",
        "ITERATION_WIDTH'(ITERATIONS - 2)",
    ),
    "merge gives no index to returning frames": (
        LOOPS[0],
        f"{_LOOP}_merge.sv",
        ".s_axis_tdata(INDEX_WIDTH'(iteration))",
        ".s_axis_tdata('0)",
    ),
    "loop's feedback FIFO is too small": (
        LOOPS[1],
        f"{_LOOP}.sv",
        ".DEPTH(FRAMES_IN_FLIGHT * WORDS_PER_FRAME)",
        ".DEPTH(FRAMES_IN_FLIGHT * WORDS_PER_FRAME - 1)",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found(fault):
    proof, file, right, wrong = FAULTS[fault]
    text = (CORES / file).read_text()
    assert text.count(right) == 1, f"{file} has changed: {right!r} must occur once"
    verdict = prove(proof, timeout_s=200, replaced={file: text.replace(right, wrong)}, bound=CYCLES)
    assert verdict.refuted_in is not None, f"{proof.name}: {verdict}"


def test_right_design_is_proven():
    """One of each kind of engine; all of them take minutes."""
    for proof in (FORKS[0], LOOPS[0]):
        verdict = prove(proof, timeout_s=200)
        assert verdict.proven, f"{proof.name}: {verdict}"


def test_assertions_of_the_cores_are_among_those_proven():
    """They are behind `ifndef SYNTHESIS`, which the front end would define."""
    proof = CREDIT_FIFOS[0]
    core = proof.cores[0]
    text = (CORES / core).read_text()
    without = text.replace("`ifndef SYNTHESIS", "`ifdef NEVER")
    assert prove(proof, 60).assertions == prove(proof, 60, replaced={core: without}).assertions + 2


def test_registers_start_anywhere():
    """Nothing relies on the value of a register before the first reset."""
    file = "rtl_common/stream_queue.sv"
    text = (CORES / file).read_text()
    added = text.replace("\nendmodule", "\n"
                         "  always_comb assert (level_q != LEVEL_WIDTH'(1));\n\nendmodule")  # fmt: skip
    verdict = prove(Proof("fifo_proof", QUEUES[0].cores, {"DEPTH": 2}), 60, replaced={file: added}, bound=2)
    assert verdict.refuted_in == 0


def test_every_core_with_flow_control_has_a_proof():
    proven = {file for proof in PROOFS for file in proof.cores}
    common = {f"rtl_common/{name}.sv" for name in ("stream_queue", "stream_fifo", "credit_fifo")}
    loop = {f"ode_loop/rtl/{file.name}" for file in (CORES / "ode_loop" / "rtl").glob("*.sv")}
    assert common | loop | {"fork/rtl/fork_stream.sv"} <= proven
