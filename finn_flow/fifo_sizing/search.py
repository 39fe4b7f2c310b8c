"""Depths of FIFOs and frames in flight of loops, from measurements in simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import FlowError
from finn_flow.fifo_sizing.bench import SizingBench
from finn_flow.fifo_sizing.certificate import Certificate
from finn_flow.fifo_sizing.sizes import (
    PASSING_OCCUPANCY,
    FIFOSize,
    FIFOSizes,
    LoopTiming,
    depth_candidates,
    fifo_depth,
)
from finn_flow.progress import Progress, Task, task, unheard
from finn_flow.simulation.accelerator import AcceleratorRun
from finn_flow.transformations.bodies import loops
from finn_flow.transformations.insert_fifos import InsertFIFOs, SetFIFODepths
from finn_flow.transformations.name_nodes import NameNodes
from finn_flow.verilator import Stall

MIN_FRAMES = 6
SEEDS = (1, 2, 3)
_FEWEST_RUNS = 2 + 1 + len(SEEDS) + 1
"""Simulations: two for the occupancies, one for the cycles with these depths, the stalls, the cycles in the end."""


def size_fifos(
    model: ModelWrapper, fpgapart: str, clk_ns: float, progress: Progress = unheard
) -> tuple[ModelWrapper, FIFOSizes, Certificate]:
    """Insert FIFOs into a folded hardware graph and give them depths, and give its loops their frames in flight.

    1. With FIFOs for whole frames a single frame shows the latency of each loop's body, from which `frames_in_flight`
       follows.
    2. With the input, and each loop's body, fed evenly at the pace of the slowest node, the greatest occupancy of each
       FIFO is what its burstiness needs; the most over a run without stalls and one with pauses at the input. (Fed
       faster, the FIFO before the slowest node would fill up whatever its depth: that is not a need.) FIFOs through
       which words pass without ever waiting are taken out.
    3. The accelerator with these depths is simulated, unpaced. A frame must take no more cycles than the slowest node
       takes by its own estimate or, where that is too low, than with FIFOs for two frames. Where it does, depths grow
       until it holds, and those of the FIFOs taken out in step 2 that are not needed are taken out again.
    4. What every node needs is read off a run with one frame. Where that does not show that the FIFOs before a join
       hold enough while its other inputs wait (`Certificate`), they grow until it does: nothing can get stuck, whatever
       the pauses.
    5. The result comes through random stalls at both ends.

    Only time is simulated (`SizingBench`), as it does not depend on data.

    Parameters
    ----------
    model
        As for `write_netlist`, without FIFOs; it is not changed.
    progress
        Receives a line per step.

    Raises
    ------
    SimulationHang
        The accelerator hangs.
    FlowError
        FIFOs for two frames are not enough either.
    """
    deep = model.transform(InsertFIFOs(frames=2)).transform(NameNodes())
    bench, timings = _settle_frames_in_flight(deep, fpgapart, clk_ns, progress)
    with bench, task("sizing FIFOs", "simulations") as work:
        search = _Search(
            bench, max(MIN_FRAMES, 8 * max((t.frames_in_flight for t in timings), default=1)), progress, work
        )
        sizes = search.sizes(timings)
    return deep.transform(SetFIFODepths({fifo.name: fifo.depth for fifo in sizes.fifos})), sizes, search.certificate


def _settle_frames_in_flight(
    deep: ModelWrapper, fpgapart: str, clk_ns: float, progress: Progress
) -> tuple[SizingBench, tuple[LoopTiming, ...]]:
    """Measure the loops' latencies and set the frames in flight of `deep`, until they follow from each other."""
    while True:
        progress("measuring the latency of the loops")
        with ExitStack() as stack:
            bench = stack.enter_context(SizingBench(deep, fpgapart, clk_ns))
            timings = bench.loop_timings(_whole_frames(bench))
            chosen = {timing.name: timing.frames_in_flight for timing in timings}
            if all(bench.netlist.loops[name].frames_in_flight == frames for name, frames in chosen.items()):
                stack.pop_all()  # the caller closes it
                return bench, timings
        for node in loops(deep):
            getCustomOp(node).set_nodeattr("frames_in_flight", chosen[node.name])


def _whole_frames(bench: SizingBench) -> dict[str, int]:
    """Depths for two frames."""
    return depth_candidates(dict.fromkeys(bench.streams, 0), bench.words)[-1]


class _Search:
    """Steps 2 to 5 of `size_fifos`."""

    def __init__(self, bench: SizingBench, frames: int, progress: Progress, work: Task) -> None:
        self.bench = bench
        self.frames = frames
        self.progress = progress
        alone = bench.run(1, _whole_frames(bench), paced=True, record_transfers=True)
        self.certificate = Certificate.measured(alone)
        self.work = work
        self._runs = 0

    def _run(self, depths: Mapping[str, int], paced: bool = False, stall: Stall | None = None) -> AcceleratorRun:
        found = self.bench.run(self.frames, depths, paced=paced, stall=stall)
        self._runs += 1
        # Those that there always are; how many more are needed shows on the way.
        self.work.advance(self._runs, max(_FEWEST_RUNS, self._runs + 1))
        return found

    def sizes(self, timings: Sequence[LoopTiming]) -> FIFOSizes:
        """Find the depths and return them with what they follow from."""
        bench = self.bench
        expected = bench.netlist.expected_cycles_per_frame
        occupancies = self._occupancies()
        measured, *deeper, deepest = depth_candidates(occupancies, bench.words)
        depths, reference = measured, float(expected)
        if self._cycles(depths) > reference:
            reference = max(reference, self._cycles(deepest))
            depths = next((more for more in deeper if self._cycles(more) <= reference), deepest)
            needless = [name for name, depth in measured.items() if depth == 0]
            depths = self._without(needless, depths, reference)
        depths = self.certified(depths)
        self.progress(f"checking {sum(depth > 0 for depth in depths.values())} FIFOs under stalls")
        for seed in SEEDS:
            self._run(depths, stall=Stall.random(0.3, 0.3, seed, burst_cycles=20))
        fifos = tuple(
            FIFOSize(name, bench.loop_of[name], s.tensor, s.width_bits, s.words, occupancies[name], depths[name])
            for name, s in bench.streams.items()
        )
        return FIFOSizes(self.frames, expected, reference, self._cycles(depths), SEEDS, fifos, tuple(timings))

    def _occupancies(self) -> dict[str, int]:
        self.progress(f"measuring the occupancy of the FIFOs with {self.frames} frames")
        deepest = _whole_frames(self.bench)
        pauses = Stall.random(p_input=0.5, p_output=0.0, seed=SEEDS[0], burst_cycles=50)
        runs = [self._run(deepest, paced=True, stall=stall) for stall in (Stall.none(), pauses)]
        counts = [self.bench.occupancies(run) for run in runs]
        return {name: max(count[name] for count in counts) for name in self.bench.streams}

    def certified(self, depths: Mapping[str, int]) -> dict[str, int]:
        """Deepen the FIFOs in which a word waits for another input of its join, until none waits for ever."""
        depths, most = dict(depths), _whole_frames(self.bench)
        while stuck := self.certificate.stuck(self.bench.netlist, depths):
            places = [self.bench.place_of[stream] for stream in stuck if stream in self.bench.place_of]
            shallow = [name for name in places if depths[name] < most[name]]
            if not shallow:
                raise FlowError(f"no depth of FIFOs keeps {', '.join(stuck)} going")
            for name in shallow:
                depths[name] = min(fifo_depth(max(depths[name], PASSING_OCCUPANCY) + 1), most[name])
        return depths

    def _cycles(self, depths: Mapping[str, int]) -> float:
        cycles = self._run(depths).cycles_per_frame
        self.progress(f"{cycles:,.0f} cycles per frame with {sum(depth > 0 for depth in depths.values())} FIFOs")
        return cycles

    def _without(self, names: Sequence[str], depths: Mapping[str, int], reference: float) -> dict[str, int]:
        """Take out as many of the FIFOs `names` as the cycles per frame allow: all, or what can go of either half."""
        fewer = {**depths, **dict.fromkeys(names, 0)}
        if self._cycles(fewer) <= reference:
            return fewer
        if len(names) > 1:
            half = len(names) // 2
            return self._without(names[half:], self._without(names[:half], depths, reference), reference)
        return dict(depths)
