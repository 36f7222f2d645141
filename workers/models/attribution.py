"""Attribution model: tags for every word, then for each cue its source and content."""

from workers.models.bio import bio_labels

TAG_LABELS = bio_labels(("SOURCE", "CUE", "CONTENT"))
LINK_LABELS = ("none", "source", "content")

# Words further from the cue than these share a bucket; 0 is the cue itself,
# each border counts once before and once after it.
_BORDERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
DISTANCE_BUCKETS = 1 + 2 * (len(_BORDERS) + 1)


def distance_bucket(word: int, first: int, last: int) -> int:
    """Bucket of a word's distance from the cue `first:last` (word numbers)."""
    if first <= word < last:
        return 0
    gap = first - word if word < first else word - last + 1
    step = sum(gap > border for border in _BORDERS)
    return 1 + step if word < first else 2 + len(_BORDERS) + step
