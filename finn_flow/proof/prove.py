"""Holding every form of a network against the model as it was given."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.graph_execution import run_nodes
from custom_ops.hardware import DOMAIN
from finn_flow.build_folder import GOLDEN_FILE
from finn_flow.errors import FlowError
from finn_flow.execution import execute_hardware, with_batch_size
from finn_flow.progress import Progress, unheard
from finn_flow.proof.frames import golden_frames, range_frames
from finn_flow.proof.given import GivenModel
from finn_flow.proof.localise import Difference, Undecided, find_in_hardware, find_in_integers
from finn_flow.transformations.bodies import LOOP_OPS, loop_body
from finn_flow.transformations.interface import read_input, read_outputs
from finn_flow.transformations.lower_to_integers import is_lowered

MOST_UNDECIDED = 0.5
"""Share of the frames that may hang on the model's own float32 rounding."""
MOST_GOLDEN = 8
"""Golden frames of a proof; `dsode simulate` sends them all."""


_PASSING = frozenset({"StreamingFIFO_rtl", "StreamingDataWidthConverter_rtl"})
"""Nodes that only pass values on."""


Forms = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


def _forms(model: ModelWrapper) -> Forms:
    """Return what a model makes of its last layers' integers: a step that selects labels may change it."""
    return tuple((output.factor, output.shift) for output in read_outputs(model))


def _arithmetic(model: ModelWrapper) -> list[tuple[str, bytes]]:
    """Return what a hardware graph computes with: each node's type and the digest of its constants, in bodies too."""
    found = []
    for node in model.graph.node:
        if node.op_type in LOOP_OPS:
            found += [("", b""), *_arithmetic(loop_body(node))]
        elif node.op_type not in _PASSING:
            constants = [model.get_initializer(name) for name in node.input]
            known = b"".join(np.ascontiguousarray(value).tobytes() for value in constants if value is not None)
            found.append((node.op_type, hashlib.sha256(known).digest()))
    return found


@dataclass
class Proof:
    """Compares the model as given with the integers and the hardware graph, code by code.

    The hardware graph is compared whenever a step has changed what it computes with, as the folding does that puts
    requantisation in the place of thresholds, and as it goes into the netlist.

    Parameters
    ----------
    model_path
        The model as it was given; images are taken from a `golden.npz` beside it, if there is one.
    progress
        Receives a line per proof.
    seconds
        Spent so far.
    compared
        The forms that were found equal, with the number of frames.
    """

    model_path: Path
    progress: Progress = unheard
    seconds: float = 0.0
    compared: dict[str, int] = field(default_factory=dict)
    undecided: int = 0
    _float_model: ModelWrapper | None = None
    _integers: ModelWrapper | None = None
    _codes: NDArray[np.int64] | None = None
    _results: list[NDArray[np.int64]] = field(default_factory=list)
    _forms: Forms = ()
    _proved: list[tuple[str, bytes]] = field(default_factory=list)
    _digest: bytes = b""

    def check(self, model: ModelWrapper, last: bool = False) -> None:
        """Compare a model after a build step, if it is in a new form.

        Parameters
        ----------
        last
            Whether the netlist comes from this graph, or no step is left: compare it unless this very graph was.

        Raises
        ------
        FlowError
            It differs from the model as given; the message names node, channel and size.
        """
        if read_input(model).codes is None:
            return
        started = time.perf_counter()
        if not is_lowered(model):
            self._float_model = model
        elif not any(node.domain == DOMAIN for node in model.graph.node):
            if self._float_model is not None and self._forms != _forms(model):
                self._check_integers(model)
        elif self._integers is not None:
            digest = hashlib.sha256(model.model.SerializeToString(deterministic=True)).digest()
            arithmetic = _arithmetic(model)
            if arithmetic != self._proved or (last and digest != self._digest):
                self._check_hardware(model)
                self._proved, self._digest = arithmetic, digest
        self.seconds += time.perf_counter() - started

    def to_json(self) -> dict[str, Any]:
        """Return what the build's report says of the proof."""
        return {"frames": self.compared, "undecided_frames": self.undecided, "seconds": self.seconds}

    def _check_integers(self, model: ModelWrapper) -> None:
        assert self._float_model is not None
        form, outputs = read_input(model), read_outputs(model)
        assert form.codes is not None
        shape = tuple(model.get_tensor_shape(model.graph.input[0].name))[1:]
        codes = range_frames(form.codes.lowest, form.codes.highest, shape)
        golden = golden_frames(self.model_path.with_name(GOLDEN_FILE), form, shape)
        if golden is not None:
            codes = np.concatenate([codes, golden[:MOST_GOLDEN].reshape(-1, *shape)])
        values = form.decode(codes)
        if not np.array_equal(form.encode(values), codes):
            raise FlowError(f"input {form.name}: its codes cannot be told from the model's input values")
        given = GivenModel(self.model_path).run(values, [output.tensor for output in outputs])
        batched = with_batch_size(model, len(codes))
        context = run_nodes(batched, {model.graph.input[0].name: codes.astype(np.float32)})
        results = [context[value.name].astype(np.int64) for value in model.graph.output]
        wrong = np.zeros(len(codes), dtype=bool)
        for output, found, expected in zip(outputs, results, given, strict=True):
            turned = expected.reshape(len(found), *output.as_given(found).shape[1:])
            turned = np.transpose(turned, np.argsort(output.axes)) if output.axes else turned
            wrong |= np.any(output.codes(turned) != found, axis=tuple(range(1, found.ndim)))
        if wrong.any():
            inputs = form.normalised(values)
            floats = with_batch_size(self._float_model, len(codes))
            difference, undecided = find_in_integers(floats, batched, inputs, codes)
            wrong = self._without_undecided(wrong, undecided)
        if wrong.any():
            self._refuse("the integers differ", wrong, difference)
        self._integers, self._codes, self._results, self._forms = model, codes, results, _forms(model)
        self._note("integers", len(codes))

    def _without_undecided(self, wrong: NDArray[np.bool_], undecided: Undecided) -> NDArray[np.bool_]:
        """Leave out the frames in which the model's own float32 rounding decides."""
        if not undecided.frames or len(undecided.frames) > MOST_UNDECIDED * len(wrong):
            return wrong
        decided = wrong.copy()
        decided[list(undecided.frames)] = False
        if not decided.any():
            self.undecided = len(undecided.frames)
            self.progress(
                f"in {self.undecided} of {len(wrong)} frames the model's own float32 rounding decides: "
                f"{undecided.node} lies on a boundary between two codes; scales that are powers of two avoid this"
            )
        return decided

    def _check_hardware(self, model: ModelWrapper) -> None:
        assert self._codes is not None and self._integers is not None
        channels_last = np.moveaxis(self._codes, 1, -1)
        shape = model.get_tensor_shape(model.graph.input[0].name)[1:]
        found = execute_hardware(model, channels_last.reshape(-1, *shape))
        wrong = np.zeros(len(self._codes), dtype=bool)
        for number, (output, result) in enumerate(zip(read_outputs(model), self._results, strict=True)):
            suffix = f"_{number}" if number else ""
            expected = np.moveaxis(result, 1, -1).reshape(len(result), -1)
            wrong |= np.any(found[f"logits{suffix}"] != expected, axis=1)
            if output.labels and len(result.shape) == 2:
                best = np.argsort(-expected, axis=1, kind="stable")[:, : output.labels]
                wrong |= np.any(found[f"labels{suffix}"].reshape(best.shape) != best, axis=1)
        if wrong.any():
            integers, hardware = (with_batch_size(graph, len(self._codes)) for graph in (self._integers, model))
            self._refuse("the hardware graph differs", wrong, find_in_hardware(integers, hardware, self._codes))
        self._note("hardware graph", len(self._codes))

    def _note(self, form: str, frames: int) -> None:
        if form not in self.compared:
            self.progress(f"proved on {frames} frames: {form} = the model as given")
        self.compared[form] = frames

    def _refuse(self, what: str, wrong: NDArray[np.bool_], difference: Difference | None) -> None:
        where = f"the first difference: {difference}" if difference else "no tensor inside tells where"
        raise FlowError(
            f"{what} from the model as given in {int(wrong.sum())} of {len(wrong)} frames; {where}. Nothing was built, "
            "because the accelerator would be wrong; please report the model"
        )
