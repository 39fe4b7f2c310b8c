"""What each node takes of LUTs, DSPs and bits, for the report's treemaps."""

from __future__ import annotations

from finn_flow.report.data import ReportData
from finn_flow.report.treemap import Share, treemap

DSP_UNIT, LUT_UNIT = "DSP", "LUT"


def area_plots(data: ReportData) -> dict[str, tuple[str, str, str]]:
    """Return treemaps by name, each with its title and a description in words."""
    where = "open synthesis" if data["synthesis"] else "estimated"
    found = {}
    for name, unit, shares in (
        ("area-lut", LUT_UNIT, _resource(data, LUT_UNIT, "lut_total")),
        ("area-dsp", DSP_UNIT, _resource(data, DSP_UNIT, "dsp48e2")),
        ("area-bits", "bits", _bits(data)),
    ):
        if any(share.amount for share in shares):
            title = "Bits stored, by loop and node" if unit == "bits" else f"{unit}s by loop and node, {where}"
            found[name] = (treemap(shares, unit), title, f"Areas in proportion to {unit}; {_largest(shares, unit)}.")
    return found


def _resource(data: ReportData, quick: str, synthesised: str) -> list[Share]:
    """Return what each node takes of a resource."""
    found = {node["name"]: node["resources"] for node in (data["synthesis"] or {"nodes": []})["nodes"]}
    shares = []
    for node in data["estimates"]["nodes"]:
        name = node["name"]
        amount = found[name][synthesised] if name in found else node["resources"][quick]  # type: ignore[literal-required]
        shares.append(Share(name, node["op"], _loop(name, node["op"], node["loop"]), float(amount)))
    return shares


def _bits(data: ReportData) -> list[Share]:
    """Return the bits that each node stores."""
    ops = {node["name"]: node["op"] for node in data["estimates"]["nodes"]}
    sums: dict[tuple[str, str], int] = {}
    for memory in data["memory"] or []:
        key = memory["node"], memory["loop"]
        sums[key] = sums.get(key, 0) + memory["bits"]
    found = ((node, ops.get(node, ""), loop, bits) for (node, loop), bits in sums.items())
    return [Share(node, op, _loop(node, op, loop), bits) for node, op, loop, bits in found]


def _loop(node: str, op: str, loop: str) -> str:
    """Return the loop that a node counts with: control and feedback of a loop with its body."""
    return node if op == "ODELoop_rtl" else loop


def _largest(shares: list[Share], unit: str) -> str:
    largest = max(shares, key=lambda share: share.amount)
    return f"{largest.node} takes the most, {largest.amount:,.0f} {unit}"
