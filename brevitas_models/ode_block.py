"""The ODE block: a vector field of convolutions, integrated from t = 0 to 1 in fixed steps that share its weights."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.config import NetworkConfig
from brevitas_models.held_quant import hold_quantisers
from brevitas_models.layers import Layers
from brevitas_models.solvers import SOLVERS, Solver


class VectorField(nn.Module):
    """The step h·f(z, t), quantised as the increment: activation, then convolutions with batch-norm and activation.

    Dense: two 3x3 convolutions. Depthwise separable: each 3x3 convolution becomes a 3x3 depthwise and a 1x1 pointwise
    convolution, with batch-norm and activation after each of them. The last batch-norm is followed by the increment
    quantiser instead of an activation.

    Parameters
    ----------
    channels
        Number of channels C of the state [N, C, H, W].
    times
        The time of each evaluation of the field, in order.
    step_size
        H, folded into the last batch-norm.
    """

    def __init__(
        self, config: NetworkConfig, layers: Layers, channels: int, times: Sequence[float], step_size: float
    ) -> None:
        super().__init__()
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
        last = len(convolutions) - 1
        self.first_activation = layers.relu()
        self.convolutions = nn.ModuleList(convolutions)
        self.norms = nn.ModuleList(
            FieldBatchNorm(
                channels,
                times,
                per_iteration=config.batch_norm == "per_iteration",
                time_bias=config.time == "bias",
                gain=step_size if position == last else 1.0,
            )
            for position in range(len(convolutions))
        )
        self.activations = nn.ModuleList(
            layers.increment() if position == last else layers.relu() for position in range(len(convolutions))
        )

    def forward(self, z: Tensor, evaluation: int) -> Tensor:
        x = self.first_activation(z)
        for convolution, norm, activation in zip(self.convolutions, self.norms, self.activations, strict=True):
            x = activation(norm(convolution(x), evaluation))
        return x


class ODEBlock(nn.Module):
    """Integrate the vector field; the state is quantised on entry and after every update by one shared quantiser.

    Input and output: [N, C, H, W]. Every solver of `brevitas_models.solvers` is a loop over (step, stage) with the same
    body, which is what the hardware folds; only with fields of their own (`field_weights`) the evaluations differ.
    """

    def __init__(self, config: NetworkConfig, layers: Layers, channels: int, iterations: int) -> None:
        super().__init__()
        self.solver: Solver = SOLVERS[config.solver]
        self.iterations = iterations
        times = [(iteration + c) / iterations for iteration in range(iterations) for c in self.solver.c]
        step_size = 1 / iterations
        self.shared = config.field_weights == "shared"
        if self.shared:
            self.field = VectorField(config, layers, channels, times, step_size)
        else:
            self.own_fields = nn.ModuleList(VectorField(config, layers, channels, [t], step_size) for t in times)
        self.state = layers.state()

    @property
    def fields(self) -> list[VectorField]:
        """The one vector field that all evaluations share, or one for each."""
        return [self.field] if self.shared else [field for field in self.own_fields if isinstance(field, VectorField)]

    def _step(self, z: Tensor, evaluation: int) -> Tensor:
        step: Tensor = self.field(z, evaluation) if self.shared else self.own_fields[evaluation](z, 0)
        return step

    def forward(self, x: Tensor) -> Tensor:
        with hold_quantisers(self):
            return self._integrate(self.state(x))

    def _integrate(self, z: Tensor) -> Tensor:
        for iteration in range(self.iterations):
            register = None
            for stage, (a, b) in enumerate(zip(self.solver.a, self.solver.b, strict=True)):
                step = self._step(z, iteration * self.solver.stages + stage)
                register = step if register is None or a == 0 else a * register + step
                z = self.state(z + (register if b == 1 else b * register))
        return z
