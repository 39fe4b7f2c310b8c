"""FINN's own verification: `verify_steps`, on the user's input and expected output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.graph_execution import run_nodes
from custom_ops.hardware import DOMAIN
from finn_flow.errors import FlowError, UserError
from finn_flow.execution import with_batch_size
from finn_flow.netlist.netlist import Netlist
from finn_flow.proof.given import GivenModel
from finn_flow.simulation.accelerator import SimulatedAccelerator, values_name
from finn_flow.simulation.golden import read_npy
from finn_flow.transformations.interface import InputForm, OutputForm, read_input, read_outputs
from finn_flow.transformations.lower_to_integers import is_lowered

FLOATS = ("initial_python", "finn_onnx_python")
INTEGERS = ("streamlined_python",)
HARDWARE = ("folded_hls_cppsim",)
NETLIST = ("node_by_node_rtlsim", "stitched_ip_rtlsim")
"""FINN's verification steps and of their files; both simulations are those of the whole netlist."""


class FinnVerification:
    """Compares forms of the network with the expected output, and writes what they gave as FINN does.

    The files are `verification_output/verify_<step>_<frame>_<SUCCESS|FAIL>.npy`, or `.npz` with all tensors where the
    configuration has `verify_save_full_context` (of the netlist, the outputs and the values before the labels).

    Raises
    ------
    UserError
        The input or the expected output cannot be read, do not match, or a step is not one of FINN's above.
    """

    def __init__(self, config: Any, model_path: Path) -> None:
        self.wanted = [step.value for step in config.verify_steps or []]
        unknown = sorted(set(self.wanted) - {*FLOATS, *INTEGERS, *HARDWARE, *NETLIST})
        if unknown:
            raise UserError(f"`verify_steps` must not name {', '.join(unknown)}, which is not in this flow")
        self.config, self.model_path = config, model_path
        self.done: set[str] = set()
        if self.wanted:
            self.input = read_npy(_place(config, config.verify_input_npy, "verify_input_npy"))
            self.expected = read_npy(_place(config, config.verify_expected_output_npy, "verify_expected_output_npy"))
            if len(self.input) != len(self.expected):
                raise UserError(
                    f"`verify_input_npy` and `verify_expected_output_npy` must hold one row per frame, "
                    f"not {len(self.input)} and {len(self.expected)}"
                )

    def check(self, model: ModelWrapper, last: bool = False) -> None:
        """Compare a model after a build step where the configuration asks for it.

        Raises
        ------
        FlowError
            It gives something else; the message says where the outputs are.
        """
        form = read_input(model)
        if form.codes is None or not self.wanted:
            return
        if not is_lowered(model):
            self._floats(model)
        elif not any(node.domain == DOMAIN for node in model.graph.node):
            codes = self._codes(form, model, channels_last=False)
            self._graph(INTEGERS, model, codes)
        elif last:
            self._graph(HARDWARE, model, self._codes(form, model, channels_last=True))

    def check_netlist(self, folder: Path) -> None:
        """Simulate the netlist where the configuration asks for it."""
        names = [name for name in NETLIST if name in self.wanted and name not in self.done]
        if not names or not (folder / "netlist.json").is_file():
            return
        netlist = Netlist.load(folder)
        (stream,) = netlist.inputs.values()
        frames = np.moveaxis(netlist.given.encode(self._values()), 1, -1).reshape(len(self.input), *stream.shape[1:])
        with SimulatedAccelerator(netlist) as accelerator:
            run = accelerator.run(frames)
        context = dict(run.results)
        for name in names:
            form = netlist.results[0]
            shape = netlist.value_shape(0)
            values = context[values_name(0)].reshape(len(frames), *shape[1:])
            labels = run.results[next(iter(netlist.outputs))] if form.labels else None
            self._report(name, _as_given(form, values), labels, context)

    def _floats(self, model: ModelWrapper) -> None:
        for name in FLOATS:
            if name in self.wanted and name not in self.done:
                tensor = read_outputs(model)[0].tensor
                (found,) = GivenModel(self.model_path).run(self._values(), [tensor])
                self._report(name, found, None, {tensor: found})

    def _graph(self, names: tuple[str, ...], model: ModelWrapper, codes: NDArray[np.int64]) -> None:
        for name in names:
            if name not in self.wanted or name in self.done:
                continue
            context = run_nodes(
                with_batch_size(model, len(codes)), {model.graph.input[0].name: codes.astype(np.float32)}
            )
            output, form = model.graph.output[0].name, read_outputs(model)[0]
            producer = model.find_producer(output)
            selects = producer is not None and producer.op_type == "TopK_rtl"
            values = context[producer.input[0] if selects else output].astype(np.int64)
            if names == INTEGERS and values.ndim > 2:
                values = np.moveaxis(values, 1, -1)
            self._report(name, _as_given(form, values), context[output] if selects else None, context)

    def _values(self) -> NDArray[np.float32]:
        return np.asarray(self.input, dtype=np.float32)

    def _codes(self, form: InputForm, model: ModelWrapper, channels_last: bool) -> NDArray[np.int64]:
        shape = model.get_tensor_shape(model.graph.input[0].name)[1:]
        codes = form.encode(self._values())
        return (np.moveaxis(codes, 1, -1) if channels_last else codes).reshape(len(self.input), *shape)

    def _report(self, name: str, values: NDArray, labels: NDArray | None, context: dict[str, NDArray]) -> None:
        """Write a file per frame, and stop the build if one is wrong."""
        self.done.add(name)
        count = len(self.expected)
        expected = self.expected.reshape(count, -1)
        found = values.reshape(count, -1)
        if labels is not None and expected.shape[1] == labels.reshape(count, -1).shape[1] != found.shape[1]:
            found = labels.reshape(count, -1)
        if found.shape != expected.shape:
            raise UserError(
                f"`verify_expected_output_npy` must hold {found.shape[1]} values per frame, not {expected.shape[1]}"
            )
        tolerance = {"atol": self.config.verification_atol, "rtol": self.config.verification_rtol}
        right = np.isclose(found, expected, **tolerance).all(axis=1)
        folder = self.config.get_verification_output_directory()
        for number, row in enumerate(found):
            stem = folder / f"verify_{name}_{number}_{'SUCCESS' if right[number] else 'FAIL'}"
            if self.config.verify_save_full_context:
                frame = {key: tensor[number] for key, tensor in context.items() if len(np.atleast_1d(tensor)) == count}
                np.savez(stem.with_suffix(".npz"), **frame)
            else:
                np.save(stem.with_suffix(".npy"), row.reshape(1, *self.expected.shape[1:]))
        if not right.all():
            raise FlowError(
                f"{name}: {int(np.sum(~right))} of {count} outputs differ from `verify_expected_output_npy`; what came "
                f"out is in {folder}"
            )


def _as_given(form: OutputForm, codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values, in the given model's order, of codes [N, ..., channels]."""
    return np.asarray(form.as_given(form.values(np.moveaxis(codes, -1, 1))))


def _place(config: Any, path: str | Path, key: str) -> Path:
    """Return the file, looked for beside the configuration and then in the current folder."""
    beside = config.config_path.parent / path if config.config_path is not None else Path(path)
    for place in (beside, Path(path)):
        if place.is_file():
            return Path(place)
    raise UserError(f"`{key}`: there is no file {path}, neither beside the configuration nor in the current folder")
