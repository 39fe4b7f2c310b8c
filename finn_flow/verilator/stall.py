"""Which streams pause, and when."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stall:
    """Pauses of the streams around a design: a source leaves TVALID low, a sink leaves TREADY low.

    A source never takes back TVALID once it is high, and holds TDATA until TREADY, as AXI4-Stream demands.
    Use `Stall.none()`, `Stall.random()` or `Stall.pattern()`.

    Parameters
    ----------
    p_input, p_output
        Share of the cycles in which an input, an output pauses, in [0, 1).
    seed
        Of the pseudo-random pauses; a stream's pauses depend on the seed and its name alone.
    burst_cycles
        Mean length of one pause, at least 1; None: every cycle is drawn independently.
    patterns
        For single streams by name: True pauses in that cycle after reset; repeated without end.
    """

    p_input: float = 0.0
    p_output: float = 0.0
    seed: int = 0
    burst_cycles: float | None = None
    patterns: Mapping[str, Sequence[bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, p in (("p_input", self.p_input), ("p_output", self.p_output)):
            if not 0 <= p < 1:
                raise ValueError(f"{name} must be in [0, 1), not {p}")
            if self.burst_cycles is not None and p > self.burst_cycles / (1 + self.burst_cycles):
                raise ValueError(f"burst_cycles must be at least {p / (1 - p):.3g} for {name}={p}")
        if self.burst_cycles is not None and self.burst_cycles < 1:
            raise ValueError(f"burst_cycles must be at least 1, not {self.burst_cycles}")

    @classmethod
    def none(cls) -> "Stall":
        """Every stream always ready."""
        return cls()

    @classmethod
    def random(
        cls, p_input: float = 0.3, p_output: float = 0.3, seed: int = 1, burst_cycles: float | None = None
    ) -> "Stall":
        """Pseudo-random pauses."""
        return cls(p_input, p_output, seed, burst_cycles)

    @classmethod
    def pattern(cls, patterns: Mapping[str, Sequence[bool]]) -> "Stall":
        """Given pauses for the named streams, none for the others."""
        return cls(patterns=patterns)

    def stream_seed(self, name: str) -> int:
        """64-bit seed of the stream's own generator."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}/{name}".encode()).digest()[:8], "little")

    def thresholds(self, is_input: bool) -> tuple[int, int]:
        """Probabilities in units of 2^-32 that a cycle pauses, after one that did not and after one that did."""
        p = self.p_input if is_input else self.p_output
        if self.burst_cycles is None or p == 0:
            return round(p * 2**32), round(p * 2**32)
        leave = 1 / self.burst_cycles
        return round(p / (1 - p) * leave * 2**32), round((1 - leave) * 2**32)
