"""The wavefront: every pass is a bar at its place, loops in one frame each, width converters left out."""

import re
from xml.etree import ElementTree

import pytest

from finn_flow.report.fifo_plot import fifo_plot
from finn_flow.report.time_axis import LABELS, scale_of
from finn_flow.report.wavefront import ITERATIONS, wavefront

TIMELINE = {
    "frames": 2,
    "cycles": 1000,
    "nodes": [
        {"name": "MVAU_rtl_0", "op": "MVAU_rtl", "loop": "", "spans": [(0, 0, 0, 99), (1, 0, 100, 199)]},
        {"name": "L_0_Fork_rtl_0", "op": "Fork_rtl", "loop": "L_0", "spans": [(0, 0, 50, 149), (0, 1, 150, 249)]},
        {"name": "W_0", "op": "StreamingDataWidthConverter_rtl", "loop": "L_0", "spans": [(0, 0, 60, 159)]},
        {"name": "L_0", "op": "ODELoop_rtl", "loop": "", "spans": [(0, 0, 200, 299)]},
    ],
    "fifos": [{"name": "F_3", "loop": "L_0", "depth": 8, "occupancy": [0, 4, 8, 2]}],
}


def bars(svg):
    return re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" .*?fill="(#\w+)".*?<title>(.*?)</title>', svg)


@pytest.mark.parametrize("animated", [False, True])
def test_bars(animated):
    svg = wavefront(TIMELINE, animated)
    ElementTree.fromstring(svg)
    found = bars(svg)
    assert [title for *_, title in found] == [
        "matrix-vector 0: frame 0, cycles 0 to 99",
        "matrix-vector 0: frame 1, cycles 100 to 199",
        "fork 0: frame 0, pass 0, cycles 50 to 149",
        "fork 0: frame 0, pass 1, cycles 150 to 249",
    ]
    x, width, colour, _ = found[-1]
    assert float(x) == pytest.approx(LABELS + 150 * scale_of(1000), abs=0.01)
    assert float(width) == pytest.approx(100 * scale_of(1000), abs=0.01)
    assert colour == ITERATIONS[1]
    assert ("<animate " in svg) == animated
    assert svg.count("ODE loop 0") == 1


def test_fifos():
    svg = fifo_plot(TIMELINE)
    ElementTree.fromstring(svg)
    assert "loop 0: FIFO 3" in svg
    assert "most 8 of 8" in svg
