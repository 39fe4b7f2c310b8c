"""The table and the plot of the presets in README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from finn_flow.files import atomic_path, atomic_write_text
from finn_flow.folding.target import DEFAULT_SHARE

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PLOT = Path("docs") / "presets.svg"
START, END = "<!-- presets: python -m benchmarks.targets --readme -->", "<!-- end of presets -->"
COLOURS = ("#4c72b0", "#8fb0dd", "#dd8452", "#f2c29f")


def write_readme(rows: list[dict[str, Any]]) -> None:
    """Put the table between the marks in README.md, and the plot beside it.

    Parameters
    ----------
    rows
        Of `benchmarks.targets.measure`.
    """
    text = README.read_text()
    before, rest = text.split(START)
    _, after = rest.split(END)
    atomic_write_text(README, f"{before}{START}\n{markdown(rows)}{END}{after}")
    save_plot(rows, ROOT / PLOT)


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table of GitHub's Markdown."""
    lines = {
        "build configuration": [f"`{row['config']}`" for row in rows],
        "cycles per frame (target)": [f"{row['cycles_per_frame']:,.0f} ({row['targets']['cycles']:,})" for row in rows],
        "frames/s at 200 MHz": [f"{row['frames_per_second']:,.0f}" for row in rows],
        "latency of one frame, cycles": [_latency(row) for row in rows],
        "bodies of the loops": [", ".join(str(bodies) for bodies in row["bodies"].values()) for row in rows],
        "use of the multipliers": [f"{row['utilisation']:.1%}" if row["measured"] else "" for row in rows],
    }
    for name in rows[0]["resources"]:
        lines[name] = [_amount(row, name) for row in rows]
    head = ["", *(row["name"] + ("" if row["measured"] else " (estimates)") for row in rows)]
    table = [head, ["---", *("---:" for _ in rows)], *([name, *cells] for name, cells in lines.items())]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in table)


def _latency(row: dict[str, Any]) -> str:
    found, target = row["latency_cycles"], row["targets"]["latency"]
    return "" if found is None else f"{found:,} ({target:,})"


def _amount(row: dict[str, Any], name: str) -> str:
    share = row["resources"].get(name)
    if share is None:
        return ""
    target = row["targets"].get(name)
    return f"{share['used']:,.0f}" + (f" ({target:,})" if target else "") + f", {share['percent']} %"


def save_plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the presets' shares of the board as an SVG, the same bytes for the same figures."""
    with matplotlib.rc_context({"svg.hashsalt": "presets", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.subplots()
        names = list(rows[0]["resources"])
        shown = [row for row in rows if row["measured"]]
        height = 0.8 / len(shown)
        for index, row in enumerate(shown):
            places = [place + (index - (len(shown) - 1) / 2) * height for place in range(len(names))]
            shares = [row["resources"][name]["percent"] for name in names]
            label = f"{row['name']}: {row['frames_per_second']:,.0f} frames/s"
            bars = axes.barh(places, shares, height, label=label, color=COLOURS[index])
            axes.bar_label(bars, fmt="%.1f %%", padding=3, fontsize=8)
        axes.axvline(100 * DEFAULT_SHARE, color="#888888", linestyle="--", linewidth=1)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlim(0, 100)
        axes.set_xlabel("share of the ZCU104 in %, open-synthesis estimate; dashed: what folding may use")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})
