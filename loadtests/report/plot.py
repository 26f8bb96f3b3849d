"""Plots as SVG, by hand: lines over a plane with two axes. Colours are classes, so that a page can turn dark."""

import html
import math
from collections.abc import Sequence

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 28, 34
STYLE = (
    ".plot{max-width:100%;height:auto;font:12px system-ui,sans-serif;fill:currentColor}"
    ".plot .axis{stroke:currentColor;opacity:.25}.plot polyline{fill:none;stroke-width:2}"
    ".s0{stroke:#1f5fb4}.s1{stroke:#c04a1a}.s2{stroke:#6b7280}.k0{fill:#1f5fb4}.k1{fill:#c04a1a}.k2{fill:#6b7280}"
    "@media (prefers-color-scheme:dark){.s0{stroke:#7fb2f0}.s1{stroke:#f0a070}.k0{fill:#7fb2f0}.k1{fill:#f0a070}}"
)
Points = Sequence[tuple[float, float]]


def lines(title: str, across: str, series: Sequence[tuple[str, Points]]) -> str:
    """One polyline for each (name, points). `across`: what the x axis counts. Points must be in order of x."""
    xs = [x for _, points in series for x, _ in points] or [0.0]
    ys = [y for _, points in series for _, y in points] or [0.0]
    left, right = min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1
    top = _round_up(max(ys))

    def at(x: float, y: float) -> str:
        px = LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        return f"{px:.1f},{HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">',
        f'<text x="{LEFT}" y="16">{html.escape(title)}</text>',
    ]
    for step in range(5):
        y = HEIGHT - BOTTOM - step / 4 * (HEIGHT - TOP - BOTTOM)
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(top * step / 4)}</text>')
    for step in range(5):
        x = LEFT + step / 4 * (WIDTH - LEFT - RIGHT)
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - 16}" text-anchor="middle">{_short(left + (right - left) * step / 4)}</text>'
        )
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 3}" text-anchor="end">{html.escape(across)}</text>')
    for number, (name, points) in enumerate(series):
        parts.append(f'<polyline class="s{number}" points="{" ".join(at(x, y) for x, y in points)}"/>')
        if len(series) > 1:
            x = WIDTH - RIGHT - 90 * (len(series) - number)
            parts.append(f'<text class="k{number}" x="{x}" y="16">— {html.escape(name)}</text>')
    return "".join(parts) + "</svg>"


def _round_up(value: float) -> float:
    """The next of 1, 2, 2.5, 4, 5, 8 or 10 times a power of ten: quarters of it can be read."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 4, 5, 8, 10) if value <= step * power * (1 + 1e-9))


def _short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value / 1e3:g} k" if value >= 1e4 else f"{value:g}"
