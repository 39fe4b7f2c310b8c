"""How long a lone frame takes, from the estimates of a build alone."""

from __future__ import annotations

from typing import Any


def estimated_latency_cycles(estimates: dict[str, Any]) -> int:
    """Return the cycles of a lone frame from `estimates.json`.

    With stages of s_0, ..., s_L cycles before, between and after L loops of n_l iterations of p_l cycles:
    s_0 + ... + s_L + sum of (n_l - 2) p_l, s_l and s_(l+1) being p_l at least. A few rows of pixels in each convolution
    are left out (5 % on a network of 16x16 pixels).
    """
    stages, loops = [0], []
    for node in estimates["nodes"]:
        if node["loop"]:
            continue
        if node["op"] == "ODELoop_rtl":
            loops.append(node["name"])
            stages.append(0)
        else:
            stages[-1] = max(stages[-1], node["cycles_per_frame"])
    passes = {loop["name"]: loop for loop in estimates["loops"]}
    latency = 0
    for number, name in enumerate(loops):
        cycles = passes[name]["body_ii_cycles"]
        stages[number], stages[number + 1] = max(stages[number], cycles), max(stages[number + 1], cycles)
        latency += (passes[name]["iterations"] - 2) * cycles
    return latency + sum(stages)
