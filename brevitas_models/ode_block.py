"""The ODE block: a vector field of convolutions, integrated from t = 0 to 1 in fixed steps that share its weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from brevitas_models.batch_norm import FieldBatchNorm, IncrementBatchNorm
from brevitas_models.config import NetworkConfig
from brevitas_models.held_quant import hold_quantisers
from brevitas_models.layers import Layers
from brevitas_models.solvers import SOLVERS, Solver


class VectorField(nn.Module):
    """The increments w·h·f(z, t), quantised, one for each use of an evaluation: activation, then convolutions.

    Dense: two 3x3 convolutions. Depthwise separable: each 3x3 convolution becomes a 3x3 depthwise and a 1x1 pointwise
    convolution. Each convolution is followed by batch-norm and activation; the last batch-norm multiplies by step size
    and solver's weights and is followed by the increment quantiser instead.

    Parameters
    ----------
    channels
        Number of channels C of the state [N, C, H, W].
    times
        The time of each evaluation of the field, in order.
    gains
        For each use of an evaluation, w·h of each evaluation.
    signed
        For each use, whether some weights of the solver are negative: what is quantised is then |w|·h·f, and its
        negative is quantised again and chosen where w is, because a table of thresholds only rises.
    """

    positive: Tensor
    negative: Tensor

    def __init__(
        self,
        config: NetworkConfig,
        layers: Layers,
        channels: int,
        times: Sequence[float],
        gains: Sequence[Sequence[float]],
        signed: Sequence[bool],
    ) -> None:
        super().__init__()
        self.signs = [[gain < 0 for gain in use] if some else None for use, some in zip(gains, signed, strict=True)]
        _register_choice(self, "negative", "positive")
        gains = [[abs(gain) for gain in use] for use in gains]
        if config.convolution == "dense":
            convolutions = [layers.conv(channels, channels, 3) for _ in range(2)]
        else:
            convolutions = [
                convolution
                for _ in range(2)
                for convolution in (
                    layers.conv(channels, channels, 3, groups=channels),
                    layers.conv(channels, channels, 1),
                )
            ]
        per_iteration, time_bias = config.batch_norm == "per_iteration", config.time == "bias"
        inner = range(len(convolutions) - 1)
        self.first_activation = layers.relu()
        self.convolutions = nn.ModuleList(convolutions)
        self.norms = nn.ModuleList(FieldBatchNorm(channels, times, per_iteration, time_bias) for _ in inner)
        self.norms.append(IncrementBatchNorm(channels, times, gains, per_iteration, time_bias))
        self.activations = nn.ModuleList(layers.relu() for _ in inner)
        self.activations.append(layers.increment())

    def forward(self, z: Tensor, evaluation: int) -> list[Tensor]:
        x = self.first_activation(z)
        *inner, last = zip(self.convolutions, self.norms, self.activations, strict=True)
        for convolution, norm, activation in inner:
            x = activation(norm(convolution(x), evaluation))
        convolution, norm, increment = last
        increments = [increment(use) for use in norm(convolution(x), evaluation)]
        for number, signs in enumerate(self.signs):
            if signs is not None:
                choice = self.negative if signs[evaluation] else self.positive
                increments[number] = torch.where(choice, increment(-increments[number]), increments[number])
        return increments


def _register_choice(module: nn.Module, true: str, false: str) -> None:
    """Give a module two constants to choose with; as tensors, so that an exporter keeps the choice in the graph."""
    module.register_buffer(true, torch.tensor(True), persistent=False)
    module.register_buffer(false, torch.tensor(False), persistent=False)


class ODEBlock(nn.Module):
    """Integrate the vector field; every state is quantised on entry and after each stage by one shared quantiser.

    Input and output: [N, C, H, W]. Every solver of `brevitas_models.solvers` is a loop over the evaluations of the
    field with the same body, which is what the hardware folds: where there are several states they pass from one
    evaluation to the next as one tensor [N, states · C, H, W]. Only with fields of their own (`field_weights`) the
    evaluations differ.
    """

    last_stage: Tensor
    other_stage: Tensor

    def __init__(self, config: NetworkConfig, layers: Layers, channels: int, iterations: int) -> None:
        super().__init__()
        self.solver: Solver = SOLVERS[config.solver]
        self.iterations = iterations
        times = [(iteration + c) / iterations for iteration in range(iterations) for c in self.solver.c]
        gains = [[weight / iterations for weight in use] * iterations for use in self.solver.uses]
        signed = [min(use) < 0 for use in self.solver.uses]
        self.shared = config.field_weights == "shared"
        if self.shared:
            self.field = VectorField(config, layers, channels, times, gains, signed)
        else:
            self.own_fields = nn.ModuleList(
                VectorField(config, layers, channels, [t], [[use[evaluation]] for use in gains], signed)
                for evaluation, t in enumerate(times)
            )
        self.state = layers.state()
        _register_choice(self, "last_stage", "other_stage")

    @property
    def fields(self) -> list[VectorField]:
        """The one vector field that all evaluations share, or one for each."""
        return [self.field] if self.shared else [field for field in self.own_fields if isinstance(field, VectorField)]

    def _increments(self, z: Tensor, evaluation: int) -> list[Tensor]:
        """Quantised increments of the uses of an evaluation."""
        increments: list[Tensor] = self.field(z, evaluation) if self.shared else self.own_fields[evaluation](z, 0)
        return increments

    def forward(self, x: Tensor) -> Tensor:
        with hold_quantisers(self):
            return self._integrate(self.state(x))

    def _integrate(self, z: Tensor) -> Tensor:
        evaluations = range(self.iterations * self.solver.stages)
        if self.solver.states == 1:
            for evaluation in evaluations:
                z = self.state(z + self._increments(z, evaluation)[0])
            return z
        states = z.repeat(1, self.solver.states, 1, 1)
        for evaluation in evaluations:
            states = torch.cat(self._stage(states.chunk(self.solver.states, dim=1), evaluation), dim=1)
        return states.chunk(self.solver.states, dim=1)[0]

    def _stage(self, states: Sequence[Tensor], evaluation: int) -> list[Tensor]:
        """Return the states after an evaluation, in the order z, x and, if the solver keeps it, y."""
        z, x, *start = states
        argument, solution = self._increments(z, evaluation)
        solved = self.state(x + solution)
        if not start:
            return [self.state(x + argument), solved]
        last = self.last_stage if (evaluation + 1) % self.solver.stages == 0 else self.other_stage
        moved = self.state(start[0] + argument)
        return [torch.where(last, solved, moved), solved, torch.where(last, solved, start[0])]
