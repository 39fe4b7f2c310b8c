"""What pictures over time have in common: their size, their colours and an axis of cycles."""

from __future__ import annotations

from collections.abc import Iterator

WIDTH, LABELS = 960.0, 190.0
TOP, BOTTOM = 30.0, 26.0
INK, LINE, SOFT = "#1c2630", "#c9d1d9", "#77838f"


def opening(height: float, on_paper: bool = False) -> str:
    """Return the tag that opens a picture; `on_paper`: white, for where it may stand on any colour."""
    tag = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" font-size="10" '
        'font-family="DejaVu Sans, Verdana, sans-serif">'
    )
    return tag + (f'<rect width="{WIDTH:g}" height="{height:g}" rx="6" fill="#fff"/>' if on_paper else "")


def scale_of(cycles: int) -> float:
    """Return the width of a cycle."""
    return (WIDTH - LABELS - 8) / cycles


def axis(cycles: int, bottom: float) -> Iterator[str]:
    """Yield lines and numbers of an axis of so many cycles, from the top to `bottom`."""
    scale = scale_of(cycles)
    step = next(unit for unit in _steps() if cycles / unit <= 8)
    for cycle in range(0, cycles + 1, step):
        x = LABELS + cycle * scale
        yield f'<line x1="{x:.1f}" y1="{TOP - 4:g}" x2="{x:.1f}" y2="{bottom:g}" stroke="{LINE}" stroke-width="0.6"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 12:g}" fill="{INK}" text-anchor="middle">{cycle:,}</text>'
    yield f'<text x="{WIDTH - 8:g}" y="{bottom + 24:g}" fill="{SOFT}" text-anchor="end">cycles</text>'


def _steps() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10
