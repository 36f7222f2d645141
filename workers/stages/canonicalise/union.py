"""Disjoint sets of numbered things."""

from __future__ import annotations


class DisjointSets:
    """Which of the numbers `0 … size - 1` have been declared the same; the least one leads."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, item: int) -> int:
        """The leader of the item's set."""
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, one: int, other: int) -> None:
        """Declare two items the same."""
        first, second = sorted((self.find(one), self.find(other)))
        self._parent[second] = first
