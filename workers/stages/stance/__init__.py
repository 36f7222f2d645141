"""Stance of each holder towards each target; `stage.py` is the entry."""

from workers.stages.stance.stage import stance

__all__ = ["stance"]
