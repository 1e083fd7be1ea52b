"""Draws what the agencies of a demo do and report: the same in every run."""

from schemas.events import ids


def draw_number(seed: str, low: int, high: int) -> int:
    """Return a number of [low, high) that depends on *seed* alone, so that every run has the same scenario."""
    return low + int(ids.digest("dondoc demo", seed)[:12], 16) % (high - low)
