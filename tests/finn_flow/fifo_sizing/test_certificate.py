"""The certificate that nothing can get stuck: it speaks for deep FIFOs only, and for the netlist that was written."""

import json
from bisect import bisect
from dataclasses import replace

import numpy as np
import pytest
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.fifo_sizing.bench import SizingBench
from finn_flow.fifo_sizing.certificate import Certificate, check_certificate
from finn_flow.fifo_sizing.search import _Search
from finn_flow.fifo_sizing.token_game import TokenGame
from finn_flow.netlist.structure import Instance, Module, Stream
from finn_flow.progress import task
from finn_flow.transformations.bodies import loops
from finn_flow.transformations.insert_fifos import InsertFIFOs
from finn_flow.transformations.name_nodes import NameNodes
from finn_flow.verilator import SimulationHang, Stall
from tests.finn_flow.netlist.one_block import CLOCK_NS, PART, one_block

BODY = "ODELoop_rtl_0_body"
BYPASS = "ODELoop_rtl_0_StreamingFIFO_rtl_1"
HELD = "global_in_copy1_buffered"
JOIN = "ODELoop_rtl_0_ODEUpdate_rtl_0"


@pytest.fixture(scope="module")
def bench():
    block = one_block()
    deep = block.folded.transform(InsertFIFOs(frames=2)).transform(NameNodes())
    for node in loops(deep):
        getCustomOp(node).set_nodeattr("frames_in_flight", block.sizes.loops[0].frames_in_flight)
    with SizingBench(deep, PART, CLOCK_NS) as bench:
        yield bench


def depths() -> dict[str, int]:
    return {fifo.name: fifo.depth for fifo in one_block().sizes.fifos}


def hangs(bench: SizingBench, chosen: dict[str, int]) -> bool:
    try:
        bench.run(3, chosen, stall=Stall.random(0.2, 0.2, seed=1))
    except SimulationHang:
        return True
    return False


def test_netlist_has_a_certificate(tmp_path):
    block = one_block()
    assert block.certificate.stuck(block.netlist) == []
    check = check_certificate(block.folder / "report" / "deadlock_certificate.json", block.netlist)
    # The state's update, and the four thresholdings that take the number of the iteration.
    assert (check.joins, check.fifos, check.stuck) == (5, len(block.netlist.fifos()), ())
    assert check_certificate(tmp_path / "none.json", block.netlist) is None


def test_what_is_saved_is_what_is_loaded(tmp_path):
    block = one_block()
    block.certificate.save(tmp_path / "certificate.json")
    assert Certificate.load(tmp_path / "certificate.json", block.netlist) == block.certificate


def test_shallow_bypass_has_none_and_hangs(bench):
    certificate = one_block().certificate
    tried = range(2, depths()[BYPASS])
    least = tried[bisect(tried, 0, key=lambda d: not certificate.stuck(bench.netlist, {**depths(), BYPASS: d}))]
    hanging = tried[bisect(tried, 0, key=lambda d: not hangs(bench, {**depths(), BYPASS: d})) - 1]
    # Two 3x3 convolutions wait for a row and a pixel each, of 6 pixels and 3 words.
    assert 2 * (6 + 1) * 3 <= hanging < least
    assert certificate.stuck(bench.netlist, {**depths(), BYPASS: hanging}) == [f"{BODY}.{HELD}"]


@pytest.mark.parametrize("seed", range(12))
def test_what_has_a_certificate_never_hangs(seed, bench):
    random = np.random.default_rng(seed)
    chosen = {name: int(random.choice([0, 2, 3, 40, 80, 120, 160, 200])) for name in depths()}
    if hangs(bench, chosen):
        assert one_block().certificate.stuck(bench.netlist, chosen)


def test_needs_are_those_of_a_convolution():
    """Its row and the one below, up to the pixel to the right; what is in the pipeline, less than a row, is more."""
    needs = one_block().certificate.needs[BODY]["ODELoop_rtl_0_DepthwiseConv_rtl_0"]["in0_V", "out0_V"]
    y, x, c = np.indices((8, 6, 3)).reshape(3, -1)
    functional = np.maximum.accumulate((np.minimum(y + 1, 7) * 6 + np.minimum(x + 1, 5)) * 3 + c + 1)
    assert np.all(functional <= needs)
    assert np.all(needs <= np.minimum(functional + 6 * 3, 8 * 6 * 3))


def test_netlist_with_a_too_shallow_fifo_is_found_out():
    block = one_block()
    shallow = replace(block.netlist.nodes[BYPASS], fifo_depth=33)
    netlist = replace(block.netlist, nodes={**block.netlist.nodes, BYPASS: shallow})
    check = check_certificate(block.folder / "report" / "deadlock_certificate.json", netlist)
    assert check.stuck == (f"{BODY}.{HELD}",)


def test_too_shallow_fifos_grow(bench):
    """Whatever depths the search starts from, it ends with a certificate; and does not deepen more than it must."""
    with task("sizing FIFOs", "simulations") as work:
        search = _Search(bench, 6, lambda line: None, work)
    none = dict.fromkeys(depths(), 0)
    grown = search.certified(none)
    assert search.certificate.stuck(bench.netlist, grown) == []
    assert {name for name, depth in grown.items() if depth} == {BYPASS}
    assert search.certified(grown) == grown


def stream(name: str, producer: str, consumer: str, words: int) -> Stream:
    return Stream(name, name, (1, words), "UINT8", 8, 1, producer, consumer)


def diamond(lag: int, words: int = 20) -> tuple[Module, dict]:
    """A fork, a path that keeps back `lag` words, a FIFO beside it, a join."""
    streams = [
        stream("a", "", "fork", words),
        stream("slow", "fork", "path", words),
        stream("beside", "fork", "fifo", words),
        stream("late", "path", "join", words),
        stream("held", "fifo", "join", words),
        stream("z", "join", "", words),
    ]
    instances = (
        Instance("fork", "fork", "Fork_rtl", {"in0_V": "a", "out0_V": "slow", "out1_V": "beside"}),
        Instance("path", "path", "Path", {"in0_V": "slow", "out0_V": "late"}),
        Instance("fifo", "fifo", "StreamingFIFO_rtl", {"in0_V": "beside", "out0_V": "held"}),
        Instance("join", "join", "Join", {"in0_V": "late", "in1_V": "held", "out0_V": "z"}),
    )
    module = Module("graph", "top", "", "", ("a",), ("z",), {s.name: s for s in streams}, instances)
    each = list(range(1, words + 1))
    needs = {
        "fork": {("in0_V", "out0_V"): each, ("in0_V", "out1_V"): each},
        "path": {("in0_V", "out0_V"): [min(k + lag, words) for k in each]},
        "join": {("in0_V", "out0_V"): each, ("in1_V", "out0_V"): each},
    }
    return module, needs


@pytest.mark.parametrize("lag", [0, 1, 5, 19])
def test_bypass_holds_as_many_words_as_the_path_keeps_back(lag):
    module, needs = diamond(lag)
    played = [TokenGame(module, {"fifo": depth}, needs).play() for depth in range(lag + 2)]
    assert played == [False] * lag + [True] * 2
    if lag:
        game = TokenGame(module, {"fifo": lag - 1}, needs)
        game.play()
        assert game.starving() == ["held"]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"graphs": {"accelerator": {}}}', '{"graphs": []}'])
def test_damaged_certificates(content, tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"certificate\.json"):
        check_certificate(path, one_block().netlist)


def test_certificates_of_other_netlists(tmp_path):
    path = tmp_path / "certificate.json"
    one_block().certificate.save(path)
    text = json.loads(path.read_text())
    steps = text["graphs"][BODY][JOIN]
    ports = next(iter(steps))
    for wrong in ([], [[1, 144, 2]], [[200, 144, 1]], [[1, 0, 1]], [[-1, 144, 1]], [[1, 1, 10**30]]):
        steps[ports] = wrong
        path.write_text(json.dumps(text))
        with pytest.raises(UserError, match="damaged or of another netlist"):
            check_certificate(path, one_block().netlist)
