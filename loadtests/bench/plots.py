"""Bars as SVG, by hand: one for each contestant."""

import html
from collections.abc import Sequence

WIDTH, BAR, GAP, LEFT = 720, 22, 8, 210
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#333}.b{fill:#8aa4c8}.p{fill:#1f5fb4}"
    "@media (prefers-color-scheme:dark){text{fill:#ddd}.b{fill:#5a7499}.p{fill:#7fb2f0}}"
)


def bars(title: str, unit: str, values: Sequence[tuple[str, float, bool]]) -> str:
    """(name, value, whether it is the product's). Bars of what is more than ten times the least are cut and marked."""
    cut = max(1e-9, min(10 * min((value for _, value, _ in values if value > 0), default=1.0), max(v for _, v, _ in values)))
    height = 40 + len(values) * (BAR + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(title)}">',
        f'<style>{STYLE}</style><text x="0" y="18">{html.escape(title)}</text>',
    ]
    for place, (name, value, ours) in enumerate(values):
        y = 32 + place * (BAR + GAP)
        long = max(1.0, min(value, cut) / cut * (WIDTH - LEFT - 110))
        beyond = " …" if value > cut else ""
        parts.append(f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{html.escape(name)}</text>')
        parts.append(f'<rect class="{"p" if ours else "b"}" x="{LEFT}" y="{y}" width="{long:.1f}" height="{BAR}" rx="3"/>')
        parts.append(f'<text x="{LEFT + long + 6:.1f}" y="{y + 15}">{value:,.3g}{beyond} {html.escape(unit)}</text>')
    return "".join(parts) + "</svg>\n"
