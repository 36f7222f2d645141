"""Everything dies, nothing is lost: `python -m benchmarks.chaos`."""
