"""What rests on an event: the sealed versions of reports, by what was known when they were sealed."""

import json
from datetime import datetime, timedelta

import msgspec
import pytest

from schemas.events.reports import SEALED
from services.reporting.core.access.readers import EVERYTHING, ReaderScope
from services.reporting.evidence.event_queries import EventQueries, FactAnswer, SupportedVersion
from services.reporting.queries import QueryContext
from tests.support.builders import plans
from tests.support.builders.partition_log import NOON, PartitionLog, a_recorded_report
from tests.support.builders.reports.sealed_reports import a_sealed_report
from tests.support.clients.reporting_archive import InMemoryArchive

AFTER = NOON + timedelta(days=2)
FIRST, SECOND = SupportedVersion(period="2024", version=1), SupportedVersion(period="2024", version=2)


def fill_archive() -> InMemoryArchive:
    """Return a report that was corrected a second later, a version sealed before that, and two sealed a day later."""
    log, archive = PartitionLog(), InMemoryArchive()
    for verdict in log.adopt_raw():
        archive.store_verdict(verdict)
    for report in (a_recorded_report("s-1"), a_recorded_report("s-2", corrects="s-1")):
        for verdict in log.append_raw(report):
            archive.store_verdict(verdict)
        archive.store_fact(json.dumps(report).encode(), recorded_at=log.position.recorded_at)
    between, day_after = NOON + timedelta(seconds=1), NOON + timedelta(days=1)
    archive.seals = [
        encode_seal("2024", 1, known_at=between),
        encode_seal("2024", 2, known_at=day_after),
        encode_seal("2023", 1, known_at=day_after),
    ]
    return archive


def encode_seal(period: str, version: int, *, known_at: datetime) -> bytes:
    """Return the record of a version that was sealed the moment up to which its records count."""
    sealed = a_sealed_report(plan=plans.PLAN, period=period, version=version, sealed_at=known_at, known_at=known_at)
    return msgspec.json.encode({"id": "e", "source": "s", "type": SEALED, "data": sealed.model_dump(mode="json")})


@pytest.mark.parametrize(
    ("event", "scope", "known_at", "versions"),
    [
        ("s-1", EVERYTHING, AFTER, (FIRST, SECOND)),
        ("s-2", EVERYTHING, AFTER, (SECOND,)),
        ("s-1", EVERYTHING, NOON + timedelta(hours=1), (FIRST,)),
        ("s-1", ReaderScope(agencies=frozenset({"h-mot"})), AFTER, ()),
    ],
)
async def test_the_sealed_versions_that_rest_on_an_event_are_named(
    event: str, scope: ReaderScope, known_at: datetime, versions: tuple[SupportedVersion, ...]
) -> None:
    """Those of its period that knew it and were sealed by then; to an agency, which may not read them, none."""
    archive = fill_archive()
    queries = EventQueries(archive.ask(plans.a_registry(), plans.a_plan()), archive)
    answer = await queries.find_event(event, None, QueryContext(as_of=known_at, known_at=known_at, scope=scope))
    assert isinstance(answer, FactAnswer)
    assert answer.versions == versions
