"""When a partition's owner says that a plan is adopted, and the fact that it writes then.

Silent agencies matter most: their duties exist because a plan was adopted and the horizon moved, not because somebody
sent something. The horizon lies thirteen months ahead and moves a month at a time.
"""

from datetime import UTC, datetime

from schemas.events.facts import ADOPTED, PlanAdopted
from schemas.events.ids import digest
from services.rules.core.duty_catalogue import Book

MONTHS_AHEAD = 13  # a year and the month in which the next one is prepared
SOURCE = "dondoc/rules"


def wanted(book: Book, *, partition: int, now: datetime) -> PlanAdopted:
    """Return what the owner of *partition* should have adopted by *now*."""
    return PlanAdopted(
        plan=book.plan.plan,
        plan_version=book.plan.version,
        registry=book.registry.registry,
        registry_version=book.registry.version,
        partition=partition,
        horizon=horizon(now),
    )


def horizon(now: datetime) -> datetime:
    """Return the first of the month that is at least `MONTHS_AHEAD` whole months after *now*."""
    months = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month + MONTHS_AHEAD
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def event(adoption: PlanAdopted, *, now: datetime) -> bytes:
    """Write *adoption* as a CloudEvent; the same adoption has the same id, whoever writes it and when."""
    stamp = now.isoformat(timespec="milliseconds")
    data = adoption.model_dump_json()
    identity = digest(data)
    head = f'"specversion":"1.0","id":"{identity}","source":"{SOURCE}","type":"{ADOPTED}","subject":"{adoption.plan}"'
    times = f'"time":"{stamp}","receivedtime":"{stamp}","datacontenttype":"application/json"'
    return f'{{{head},{times},"data":{data}}}'.encode()
