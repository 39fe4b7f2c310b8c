"""What is proven: cores, with the parameters that stand for all."""

from __future__ import annotations

from tests.proofs.engine import Proof

_QUEUE = "rtl_common/stream_queue.sv"
_CHECKER = "rtl_common/stream_checker.sv"
_COUNTER = "ode_loop/rtl/ode_loop_word_counter.sv"
_SPLIT = "ode_loop/rtl/ode_loop_split.sv"
_LOOP = ("ode_loop", "ode_loop_input", "ode_loop_merge", "ode_loop_split", "ode_loop_word_counter")

QUEUES = [
    Proof("fifo_proof", [_QUEUE, "rtl_common/stream_fifo.sv"], {"MEMORY": 0, "DEPTH": depth}) for depth in (1, 2, 3, 5)
]
FIFOS = [
    Proof("fifo_proof", [_QUEUE, "rtl_common/stream_fifo.sv"], {"MEMORY": 1, "DEPTH": depth})
    for depth in (1, 2, 3, 4, 5, 6, 7)
]
CREDIT_FIFOS = [Proof("credit_fifo_proof", ["rtl_common/credit_fifo.sv"], {"DEPTH": depth}) for depth in (1, 2, 3, 4)]
FORKS = [Proof("fork_proof", ["fork/rtl/fork_stream.sv", _QUEUE, _CHECKER], {"N": outputs}) for outputs in (2, 3)]
SPLITS = [Proof("split_proof", [_SPLIT, _QUEUE, _COUNTER], {"WORDS_PER_FRAME": words}) for words in (1, 2, 3)]
LOOPS = [
    Proof(
        "ode_loop_proof",
        [f"ode_loop/rtl/{name}.sv" for name in _LOOP],
        {"WORDS_PER_FRAME": words, "ITERATIONS": iterations, "FRAMES_IN_FLIGHT": frames},
        induction=10,
        helpers=["any_body.sv", "ideal/stream_queue.sv", "ideal/stream_fifo.sv", "ideal/stream_checker.sv"],
    )
    for words, iterations, frames in ((1, 2, 1), (2, 2, 1), (3, 2, 1), (1, 3, 2), (2, 3, 2), (3, 4, 2))
]

PROOFS = [*QUEUES, *FIFOS, *CREDIT_FIFOS, *FORKS, *SPLITS, *LOOPS]
