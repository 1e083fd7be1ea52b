"""The story of 2024 as data: the archive that is handed in first, every post of the year, and the truth it plants.

Pure and always the same. It refuses to know how it is played.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from schemas.plan.registry import Registry
from services.console.demo import agencies
from services.console.demo.events import ARCHIVE, ZONE, Event, Post, Report, drawn
from services.console.demo.expected import Truth

BEGINS_AT = datetime(2024, 1, 1, tzinfo=ZONE)
LAST_GOOD_DAY = date(2024, 12, 9)
ADDRESSED = frozenset({"so-ban-nganh", "ubnd-huyen"})
FIRST_YEAR = 2016
PROGRAMME = "action-programme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happens, in order, and what must come out of it."""

    archive: tuple[Event, ...]
    posts: tuple[Post, ...]
    truths: tuple[Truth, ...]


def told(registry: Registry) -> Story:
    """Tell the story for the agencies of *registry* that the plan addressed in 2024."""
    owing = tuple(addressed(registry))
    parts = [agencies.part_of(agency) for agency in owing]
    return Story(
        archive=tuple(event for agency in owing for event in _filed_before(agency)),
        posts=tuple(sorted((post for part in parts for post in part.posts), key=lambda post: post.at)),
        truths=tuple(part.truth for part in parts),
    )


def addressed(registry: Registry) -> Iterator[str]:
    """Yield the agencies that owed results on the last good day of 2024."""
    for agency in registry.agencies:
        if any(one.id in ADDRESSED and one.contains(LAST_GOOD_DAY) for one in agency.groups):
            yield agency.id


def _filed_before(agency: str) -> Iterator[Event]:
    """Yield what *agency* had sent before the system was there: its programme, and every year's results in time."""
    first = Report(agency=agency, at=BEGINS_AT, way=ARCHIVE)
    sent_at = datetime(FIRST_YEAR, 6, 1, 9, tzinfo=ZONE) + timedelta(days=drawn(f"{agency}/programme", 0, 90))
    yield replace(first, obligation=PROGRAMME, period=None, sent_at=sent_at).event()
    for year in range(FIRST_YEAR, BEGINS_AT.year):
        sent_at = datetime(year, 11, 20, 9, tzinfo=ZONE) + timedelta(days=drawn(f"{agency}/{year}", 0, 19))
        yield replace(first, period=str(year), sent_at=sent_at).event()
