"""Memory over time as a plain SVG file: a line a part, on a logarithmic scale.

On that scale the same growth in per cent looks the same for a large part and for a small one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 960, 520
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 56, 56
# Okabe and Ito's, which people who see few colours can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f")
LABEL_HEIGHT = 17
_TICKS = (1, 2, 5)

Line = Sequence[tuple[float, float]]


def draw(title: str, lines: Mapping[str, Line], *, warm_up: float) -> str:
    """`lines`: name → (minutes, megabytes), positive. The first `warm_up` minutes are shaded."""
    values = [value for line in lines.values() for _, value in line]
    last = max(ceil(max(minute for line in lines.values() for minute, _ in line)), 1)
    low, high = _bounds(min(values), max(values))

    def across(minute: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * minute / last

    def up(value: float) -> float:
        share = (log10(value) - log10(low)) / (log10(high) - log10(low))
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<rect x="{LEFT}" y="{TOP}" width="{across(min(warm_up, last)) - LEFT:.1f}" '
        f'height="{HEIGHT - TOP - BOTTOM}" fill="#eeeeee"/>',
        _text(LEFT + 4, TOP + 15, "warm-up", size=11, colour="#666666"),
        _text(LEFT, 26, title, size=16),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, "minutes", anchor="middle"),
        f'<g transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)">'
        + _text(0, 0, "MB resident a process (logarithmic)", anchor="middle")
        + "</g>",
    ]
    for value in _ticks(low, high):
        drawn.append(_rule(LEFT, up(value), WIDTH - RIGHT, up(value), "#dddddd"))
        drawn.append(_text(LEFT - 8, up(value) + 4, f"{value:g}", anchor="end"))
    step = max(1, round(last / 6 / 5) * 5) if last >= 15 else max(1, last // 6)
    for minute in range(0, last + 1, step):
        drawn.append(_rule(across(minute), HEIGHT - BOTTOM, across(minute), HEIGHT - BOTTOM + 5))
        drawn.append(_text(across(minute), HEIGHT - BOTTOM + 20, str(minute), anchor="middle"))
    drawn.append(_rule(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM))
    colours = dict(zip(lines, COLOURS, strict=False))
    for name, line in lines.items():
        points = " ".join(f"{across(minute):.1f},{up(value):.1f}" for minute, value in line)
        drawn.append(
            f'<polyline points="{points}" fill="none" stroke="{colours[name]}" stroke-width="2"/>'
        )
    for name, height in _apart({name: up(line[-1][1]) for name, line in lines.items()}):
        label = f"{name}: {lines[name][-1][1]:.3g}"
        drawn.append(_text(WIDTH - RIGHT + 10, height + 4, label, colour=colours[name]))
    return "\n".join([*drawn, "</svg>", ""])


def _bounds(least: float, most: float) -> tuple[float, float]:
    """The ticks below and above."""
    return _floor_tick(least), max(
        tick for tick in _ticks(_floor_tick(most), 10 * most) if tick / 5 <= most
    )


def _floor_tick(value: float) -> float:
    power: float = 10.0 ** floor(log10(value))
    return power * max(tick for tick in _TICKS if tick * power <= value * 1.000001)


def _ticks(low: float, high: float) -> list[float]:
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [tick * 10.0**power for power in powers for tick in _TICKS]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]


def _apart(heights: Mapping[str, float]) -> list[tuple[str, float]]:
    """Where the labels go: beside their lines, but never over one another."""
    placed: list[tuple[str, float]] = []
    for name, height in sorted(heights.items(), key=lambda item: -item[1]):
        if placed:
            height = min(height, placed[-1][1] - LABEL_HEIGHT)
        placed.append((name, height))
    return placed


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    size: int = 13,
    colour: str = "#222222",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{colour}">{escape(words)}</text>'
    )


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str = "#222222") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
