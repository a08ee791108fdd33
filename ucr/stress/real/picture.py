"""A run as a picture: how long answers took over time, how many came, and when which fault struck, as one SVG file.

Times to answer are drawn on a logarithmic scale, since a fault shows in what takes a hundred times as long. Each kind
of fault has a row of its own below, so that a storm of hundreds stays legible.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from ucr.stress.real.timeline import WIDTH_S, Course, Happening, Slice

WIDTH, LEFT, RIGHT = 1200, 130, 30
TOP, PLOT, GAP, RATE, LANE, BOTTOM = 96, 340, 34, 80, 22, 48
INK, FAINT, GRID = "#1b1f24", "#57606a", "#d8dee4"
P50, P95, LONGEST, BARS, WRONG = "#0a5cc0", "#c2410c", "#8c959f", "#7aa7d9", "#cf222e"
FAULTS = ("#8250df", "#0a7d4f", "#b35900", "#bf3989", "#0969da", "#6e7781")
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MOST_TICKS = 12
LETTER = 6.6
"""About how wide a letter of size 12 is."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Places in the picture: of a time within the run, of a time to answer, of a rate."""

    length_s: float
    least_s: float
    most_s: float
    most_rate: float

    def x(self, at_s: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, at_s / self.length_s)

    def y(self, took_s: float) -> float:
        share = math.log(max(took_s, self.least_s) / self.least_s) / math.log(self.most_s / self.least_s)
        return TOP + PLOT * (1 - share)

    def rate_y(self, rate: float) -> float:
        return TOP + PLOT + GAP + RATE * (1 - rate / self.most_rate)


def scale_of(slices: Sequence[Slice], length_s: float) -> Scale:
    """Return a scale on which all of it has a place; times to answer are bounded by powers of ten."""
    times = [took for one in slices if one.ok for took in (one.p50_s, one.longest_s)] or [0.001, 0.1]
    least = 10 ** math.floor(math.log10(max(1e-4, min(times))))
    most = 10 ** math.ceil(math.log10(max(times) * 1.001))
    rate = max([(one.ok + one.wrong) / WIDTH_S for one in slices] or [1.0])
    return Scale(max(length_s, WIDTH_S), least, max(most, least * 10), rate)


def drawn(title: str, course: Course) -> str:
    """Return the picture of a run."""
    slices, faults = course.slices, course.faults
    scale = scale_of(slices, course.length_s)
    kinds = tuple(dict.fromkeys(fault.name for fault in faults))
    height = TOP + PLOT + GAP + RATE + GAP + LANE * len(kinds) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(LEFT, 26, "Time to answer while faults strike", size=17, weight="600"),
        _text(LEFT, 46, title, colour=FAINT),
        *_legend(),
        *_chapters(course.chapters, scale),
        *_grid(scale),
        *_lanes(faults, kinds, scale),
        *_rates(slices, scale),
        _line(slices, scale, lambda one: one.longest_s, LONGEST, 1.0),
        _line(slices, scale, lambda one: one.p95_s, P95, 1.6),
        _line(slices, scale, lambda one: one.p50_s, P50, 2.2),
        *_seconds(scale, height),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(
    x: float,
    y: float,
    words: str,
    *,
    colour: str = INK,
    anchor: str = "start",
    size: int = 12,
    weight: str = "400",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _legend() -> Iterator[str]:
    x = float(LEFT)
    named = (
        (P50, "median"),
        (P95, "95 of 100"),
        (LONGEST, "longest"),
        (BARS, "answers a second"),
        (WRONG, "not ok"),
    )
    for colour, name in named:
        yield f'<rect x="{x:.1f}" y="57" width="14" height="6" rx="2" fill="{colour}"/>'
        yield _text(x + 20, 64, name)
        x += 42 + LETTER * len(name)


def _chapters(chapters: Sequence[Happening], scale: Scale) -> Iterator[str]:
    """Give the parts of the run as bands, with their names where there is room."""
    ends = [scale.x(one.at_s) for one in chapters[1:]] + [scale.x(scale.length_s)]
    for number, (one, end) in enumerate(zip(chapters, ends, strict=False)):
        start = scale.x(one.at_s)
        if number % 2 == 0:
            height = PLOT + GAP + RATE
            yield (
                f'<rect x="{start:.1f}" y="{TOP}" width="{end - start:.1f}" height="{height}" fill="#f3f6f9"/>'
            )
        if end - start > LETTER * len(one.name):
            yield _text((start + end) / 2, TOP - 8, one.name, colour=FAINT, anchor="middle")


def _grid(scale: Scale) -> Iterator[str]:
    took_s = scale.least_s
    while took_s <= scale.most_s * 1.001:
        y = scale.y(took_s)
        yield _stroke(LEFT, y, WIDTH - RIGHT, y, GRID)
        words = f"{took_s:g} s" if took_s >= 1 else f"{took_s * 1000:g} ms"
        yield _text(LEFT - 10, y + 4, words, colour=FAINT, anchor="end")
        took_s *= 10
    for rate in (0.0, scale.most_rate):
        y = scale.rate_y(rate)
        yield _stroke(LEFT, y, WIDTH - RIGHT, y, GRID)
        yield _text(LEFT - 10, y + 4, f"{rate:.0f}/s", colour=FAINT, anchor="end")


def _line(
    slices: Iterable[Slice], scale: Scale, value: Callable[[Slice], float], colour: str, width: float
) -> str:
    """Return a line through the slices that have answers; it is broken where there are none for two of them."""
    path, last_s = list[str](), -math.inf
    for one in slices:
        if not one.ok:
            continue
        pen = "L" if one.at_s - last_s <= 2 * WIDTH_S else "M"
        path.append(f"{pen}{scale.x(one.at_s + WIDTH_S / 2):.1f} {scale.y(value(one)):.1f}")
        last_s = one.at_s
    drawn_path = "".join(path)
    return (
        f'<path d="{drawn_path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"/>'
    )


def _rates(slices: Iterable[Slice], scale: Scale) -> Iterator[str]:
    """Give how many answers came a second as bars, what was not ok on top of them."""
    floor = scale.rate_y(0)
    for one in slices:
        x, width = scale.x(one.at_s), max(0.8, scale.x(one.at_s + WIDTH_S) - scale.x(one.at_s))
        good = scale.rate_y(one.ok / WIDTH_S)
        yield f'<rect x="{x:.1f}" y="{good:.1f}" width="{width:.1f}" height="{floor - good:.1f}" fill="{BARS}"/>'
        if one.wrong:
            top = min(good - 3, scale.rate_y((one.ok + one.wrong) / WIDTH_S))
            wide = max(3.0, width)
            yield f'<rect x="{x:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{good - top:.1f}" fill="{WRONG}"/>'


def _lanes(faults: Iterable[Happening], kinds: Sequence[str], scale: Scale) -> Iterator[str]:
    """Give a row for each kind of fault, and a line from each fault through the plot."""
    first = TOP + PLOT + GAP + RATE + GAP
    for number, kind in enumerate(kinds):
        y = first + LANE * number
        yield _text(LEFT - 10, y + 4, kind, colour=FAULTS[number % len(FAULTS)], anchor="end")
        yield _stroke(LEFT, y, WIDTH - RIGHT, y, GRID)
    for fault in faults:
        number = kinds.index(fault.name)
        x, y, colour = scale.x(fault.at_s), first + LANE * number, FAULTS[number % len(FAULTS)]
        yield (
            f'<path d="M{x:.1f} {TOP}L{x:.1f} {y}" stroke="{colour}" stroke-width="1" stroke-opacity="0.35" '
            'stroke-dasharray="3 3"/>'
        )
        yield f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{colour}"/>'


def _seconds(scale: Scale, height: int) -> Iterator[str]:
    step = next((one for one in STEPS_S if scale.length_s / one <= MOST_TICKS), STEPS_S[-1])
    bottom = height - BOTTOM + 10
    for number in range(int(scale.length_s / step) + 1):
        at_s = number * step
        x = scale.x(at_s)
        yield _stroke(x, bottom, x, bottom + 5, FAINT)
        words = f"{at_s} s" if step < 60 else f"{at_s // 60} min"
        yield _text(x, bottom + 20, words, colour=FAINT, anchor="middle")
