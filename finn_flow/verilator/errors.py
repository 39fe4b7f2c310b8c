"""How building or running a simulation can fail."""

from dataclasses import dataclass

from finn_flow.errors import FlowError


class SimulationBuildError(FlowError):
    """The RTL could not be turned into a simulation: a tool is missing, or Verilator or the compiler refused it."""


class SimulationError(FlowError):
    """The RTL itself reported an error while it ran (a failing assertion, `$error`, `$fatal`, `$stop`, `$finish`)."""


@dataclass(frozen=True)
class StuckStream:
    """A stream that had not transferred all its words when the simulation hung.

    Parameters
    ----------
    name
        The stream's name.
    is_input
        True for a stream into the design.
    transferred
        Words transferred so far.
    expected
        Words that should have been transferred.
    tvalid, tready
        The handshake as it was left.
    """

    name: str
    is_input: bool
    transferred: int
    expected: int
    tvalid: bool
    tready: bool

    def __str__(self) -> str:
        verb = "accepted" if self.is_input else "produced"
        handshake = f"TVALID={int(self.tvalid)} TREADY={int(self.tready)}"
        kind = "input" if self.is_input else "output"
        return f"{kind} {self.name}: {self.transferred} of {self.expected} words {verb} ({handshake})"


class SimulationHang(FlowError):
    """No stream transferred anything for `idle_cycles` cycles although words were outstanding.

    Attributes
    ----------
    stuck
        The streams with outstanding words.
    cycle
        The cycle (after reset) at which the simulation was given up.
    """

    def __init__(self, top: str, stuck: list[StuckStream], cycle: int, idle_cycles: int) -> None:
        self.stuck = stuck
        self.cycle = cycle
        lines = "".join(f"\n  {stream}" for stream in stuck)
        super().__init__(f"{top}: hangs: no transfer in the {idle_cycles} cycles up to cycle {cycle}; stuck:{lines}")
