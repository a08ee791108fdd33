"""Bars as SVG, without a library: one group for each row, one bar for each value, on a logarithmic scale.

The scale is logarithmic because what is compared lies two or three powers of ten apart.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 860
LABEL = 250
RIGHT = 90
BAR = 16
GAP = 12
TOP = 54
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#e45756", "#72b7b2", "#9d755d", "#bab0ac")
FONT = 'font-family="sans-serif" font-size="12"'


@dataclass(frozen=True, slots=True)
class Group:
    """What stands side by side: a title, and names with their values, which are above 0."""

    title: str
    bars: tuple[tuple[str, float], ...]


def bars(title: str, unit: str, groups: Sequence[Group]) -> str:
    """Return a picture of groups of bars. The same name has the same colour in each; values of 0 are left out."""
    shown = [Group(group.title, tuple(bar for bar in group.bars if bar[1] > 0)) for group in groups]
    values = [value for group in shown for _, value in group.bars]
    low, high = bounds(values)
    colours = coloured(name for group in shown for name, _ in group.bars)
    height = TOP + sum(len(group.bars) * BAR + GAP for group in shown) + 30
    parts = [_text(10, 20, f"{title} ({unit}, logarithmic)", size=15), *_scale(low, high, height)]
    y = TOP
    for group in shown:
        parts.append(_text(10, y + BAR - 4, group.title))
        for name, value in group.bars:
            parts.append(_bar(y, name, value, place(value, low, high), colours[name]))
            y += BAR
        y += GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" {FONT}>'
    ground = f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    return "\n".join([head, ground, *parts, "</svg>"]) + "\n"


def bounds(values: Iterable[float]) -> tuple[float, float]:
    """Return the powers of ten between which all values lie; they are never the same."""
    found = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def place(value: float, low: float, high: float) -> float:
    """Return where a value stands on the scale, from 0 to 1."""
    return (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))


def coloured(names: Iterable[str]) -> dict[str, str]:
    """Give each name a colour, in the order of their first appearance."""
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(dict.fromkeys(names))}


def _scale(low: float, high: float, height: int) -> list[str]:
    """Draw a line for each power of ten."""
    steps = round(math.log10(high) - math.log10(low))
    parts = []
    for step in range(steps + 1):
        value = low * 10**step
        x = LABEL + place(value, low, high) * (WIDTH - LABEL - RIGHT)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - 24}" stroke="#ddd"/>')
        parts.append(_text(x, TOP - 12, said(value), anchor="middle"))
    return parts


def _bar(y: int, name: str, value: float, share: float, colour: str) -> str:
    length = max(1.0, share * (WIDTH - LABEL - RIGHT))
    box = f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR - 3}" fill="{colour}"/>'
    label = _text(LABEL + length + 4, y + BAR - 5, f"{said(value)} {name}")
    return f"{box}\n{label}"


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'


def said(value: float) -> str:
    """Return a number with as many digits as say something."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
