"""What the soak calls flat."""

from __future__ import annotations

import random

import pytest

from benchmarks.soak.trend import is_flat_count, is_flat_memory, trend

HOUR = [10.0 * number for number in range(360)]


def memory(size: float, growth_an_hour: float, noise: float = 0.3) -> list[tuple[float, float]]:
    chance = random.Random(1)
    return [
        (second, size + growth_an_hour * second / 3600 + chance.gauss(0, noise)) for second in HOUR
    ]


@pytest.mark.parametrize(
    ("size", "growth", "flat"),
    [
        (100, 0, True),
        (100, -20, True),
        (100, 4.5, True),  # 4.4 %
        (100, 6, False),
        (20, 3.5, True),  # below 4 MB
        (20, 4.5, False),
        (600, 25, True),
        (600, 35, False),
    ],
)
def test_steady_growth_is_seen_in_its_noise(size: float, growth: float, flat: bool) -> None:
    found = trend(memory(size, growth))
    assert found.growth_an_hour == pytest.approx(growth, abs=0.3)
    assert is_flat_memory(found) == flat


def test_a_few_outliers_do_not_matter() -> None:
    points = memory(100, 0)
    for number in range(300, 340):
        points[number] = (points[number][0], 500.0)
    assert is_flat_memory(trend(points))


def test_a_descriptor_every_ten_minutes_is_a_leak() -> None:
    leaking = [(second, 20 + second // 600) for second in HOUR]
    assert not is_flat_count(trend(leaking))
    assert is_flat_count(trend([(second, 20 + second // 2000) for second in HOUR]))
