"""Reliability diagrams and risk-coverage curves as one SVG, without a drawing library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

WIDE, HIGH = 300, 210
LEFT, TOP, GAP, BELOW = 54, 62, 90, 76
BLUE, ORANGE, GREY, INK, PAPER = "#1f5fa8", "#c2571a", "#b9bec6", "#22262b", "#ffffff"
CURVES = (("all answers", BLUE), ("favor and against", ORANGE))
# Two in three answers are wrong at random.
HIGHEST_RISK = 0.7
_TENTHS = 0.2


@dataclass(frozen=True)
class Panel:
    """A plot whose axes run from 0; data coordinates → those of the picture."""

    left: float
    top: float
    highest: float = 1.0

    def x(self, value: float) -> float:
        return round(self.left + value * WIDE, 1)

    def y(self, value: float) -> float:
        return round(self.top + HIGH - min(value, self.highest) / self.highest * HIGH, 1)

    def frame(self, title: str, across: str, up: str) -> Iterable[str]:
        """Axes with their marks and names."""
        yield (
            f'<rect x="{self.left}" y="{self.top}" width="{WIDE}" height="{HIGH}"'
            f' fill="none" stroke="{INK}"/>'
        )
        yield text(self.left, self.top - 9, title, weight="bold")
        yield text(self.left + WIDE / 2, self.top + HIGH + 34, across, anchor="middle")
        middle = self.top + HIGH / 2
        yield (
            f'<text x="{self.left - 38}" y="{middle}" text-anchor="middle"'
            f' transform="rotate(-90 {self.left - 38} {middle})">{escape(up)}</text>'
        )
        for step in range(6):
            value = step * _TENTHS
            yield text(self.x(value), self.top + HIGH + 16, f"{value:.1f}", anchor="middle")
            if value <= self.highest:
                yield text(self.left - 6, self.y(value) + 4, f"{value:.1f}", anchor="end")
                yield line([(self.x(0), self.y(value)), (self.x(1), self.y(value))], GREY, 0.5)


def picture(title: str, sets: Sequence[dict[str, Any]]) -> str:
    """The SVG: a row of two panels for each set, as `benchmarks.calibration` measures them."""
    width = LEFT + WIDE + GAP + WIDE + 24
    row = HIGH + BELOW
    height = TOP + len(sets) * row + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="sans-serif" font-size="12" fill="{INK}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        text(LEFT, 24, title, weight="bold", size=15),
    ]
    for number, one in enumerate(sets):
        top = TOP + number * row
        parts += reliability(Panel(LEFT, top), one)
        parts += risks(Panel(LEFT + WIDE + GAP, top, HIGHEST_RISK), one)
    return "\n".join([*parts, "</svg>"]) + "\n"


def reliability(panel: Panel, one: dict[str, Any]) -> Iterable[str]:
    """Accuracy by confidence; grey bars from below are the share of the rows in each bin."""
    error = one["expected_calibration_error"]
    title = f"{one['set']} dev, {one['rows']} questions, ECE {error:.3f}"
    yield from panel.frame(title, "confidence", "share that is right")
    for bin_ in one["bins"]:
        share = bin_["rows"] / one["rows"]
        left, top = panel.x(bin_["from"]), panel.y(share)
        wide, high = round(panel.x(bin_["to"]) - left, 1), round(panel.y(0) - top, 1)
        yield f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="{GREY}"/>'
    yield line([(panel.x(0), panel.y(0)), (panel.x(1), panel.y(1))], INK, 1, dashed=True)
    points = [(panel.x(b["confidence"]), panel.y(b["accuracy"])) for b in one["bins"]]
    yield line(points, BLUE, 2)
    yield from (dot(x, y, BLUE) for x, y in points)
    yield text(panel.x(0.03), panel.top + 18, "grey: share of the questions", size=11)


def risks(panel: Panel, one: dict[str, Any]) -> Iterable[str]:
    """Share of wrong answers by share of questions answered, the surest first."""
    yield from panel.frame("risk and coverage", "share answered (coverage)", "share wrong (risk)")
    for number, (name, colour) in enumerate(CURVES):
        found = one["risk_coverage"][name]
        yield line([(panel.x(x), panel.y(y)) for x, y in found["points"]], colour, 2)
        at = found["at_threshold"]
        legend = name
        if at:
            yield dot(panel.x(at["coverage"]), panel.y(at["risk"]), colour, 5)
            legend += (
                f": {at['risk']:.2f} wrong of {at['coverage']:.2f} from {one['threshold']:.2f} on"
            )
        yield text(panel.x(0.03), panel.top + 13 + 13 * number, legend, colour=colour, size=11)


def text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "start",
    weight: str = "normal",
    colour: str = INK,
    size: int = 12,
) -> str:
    """One line of text."""
    return (
        f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}" font-weight="{weight}"'
        f' font-size="{size}" fill="{colour}">{escape(content)}</text>'
    )


def line(
    points: Sequence[tuple[float, float]], colour: str, width: float, *, dashed: bool = False
) -> str:
    """A line through the points."""
    way = " ".join(f"{x},{y}" for x, y in points)
    dashes = ' stroke-dasharray="4 4"' if dashed else ""
    return (
        f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'
    )


def dot(x: float, y: float, colour: str, radius: float = 3) -> str:
    """A filled circle."""
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{colour}"/>'
