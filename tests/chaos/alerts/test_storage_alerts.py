"""What is stored is gone, full, damaged or not read, and the real Prometheus finds the alerts for it true."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from deploy.local.servers.mongod import Mongod
from schemas.events.topics import VERDICTS
from services.intake.spool import spool_folder
from tests.support.builders import plans
from tests.support.clients.notifier import NOON, NotifierClient, an_assessment, an_event_of
from tests.support.clients.readers import ReadersFile
from tests.support.processes.alert_watch import AlertWatch
from tests.support.servers.intake import IntakeFiles, encode_event, open_client
from tests.support.servers.services import Service
from tests.support.tools import needs

UNREAD = ("NotifierBehind", "ReportingBehind", "ConsumerStalled")
SPOOLED = ("SpoolFilling", "ReportsRefused", "PostsNotAcknowledged")

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900), needs("prometheus", package="prometheus")]


async def test_a_database_that_is_away_or_lost_turns_its_alert_true(  # noqa: PLR0913, PLR0917 - the servers of a whole installation
    services: Mapping[str, Service],
    watch: AlertWatch,
    client: NotifierClient,
    kafka: Kafka,
    mongod: Mongod,
    tmp_path: Path,
) -> None:
    """Nobody who may read, nothing assessed, old verdicts that nobody can store, a ledger that is gone."""
    services["rules"].stop()
    await client.publish_documents()
    await watch.expect("NoReaders", "NothingAssessed")
    services["rules"].launch()
    reader = ReadersFile(tmp_path / "readers.json")
    reader.create("all", expires_at=datetime.now(UTC) + timedelta(days=7))  # noqa: TID251 - Prometheus has the wall clock
    for service in services.values():
        service.wait_until_ready()
    await watch.expect("ReaderKeyExpiring")
    await watch.expect_silence(
        "NoReaders", "NothingAssessed", *UNREAD, "AnswersFailing", "StateIncomplete", "StateLost"
    )
    mongod.pause()
    verdict = an_assessment()
    await client.bus.publish(VERDICTS.name, an_event_of(verdict), key=verdict.agency, recorded_at=NOON)  # two days ago
    async with httpx.AsyncClient(base_url=services["reporting"].url, headers=reader.headers, timeout=60) as http:
        await watch.expect_while(lambda: http.get("/v1/duties"), *UNREAD, "AnswersFailing")
    mongod.resume()
    await watch.expect_silence(*UNREAD)
    services["notifier"].stop()
    client.database.drop()
    kafka.pause()
    services["notifier"].launch()
    await watch.expect("StateIncomplete")
    kafka.resume()
    await watch.expect("StateLost")
    await watch.expect_silence("StateIncomplete")


async def test_a_spool_that_is_full_or_damaged_turns_its_alert_true(  # noqa: PLR0913, PLR0917 - the servers of a whole installation
    services: Mapping[str, Service],
    watch: AlertWatch,
    client: NotifierClient,
    kafka: Kafka,
    bearer: str,
    intake_files: IntakeFiles,
) -> None:
    """The broker hangs until intake has no room left; then intake is killed, and its disk has lost a byte."""
    await client.publish_documents()
    intake = services["intake"]
    intake.wait_until_ready()
    await watch.expect_silence(*SPOOLED, "SpoolDamaged")
    kafka.pause()
    async with open_client(intake, bearer) as sender:
        numbers = iter(range(10_000))

        async def post() -> object:
            event = plans.a_submission(f"l-{next(numbers)}", data={"note": "x" * 200_000})
            return await sender.post("/v1/events", content=encode_event(event))

        await watch.expect_while(post, *SPOOLED)
    intake.kill()
    _damage(intake_files.folder / "spool")
    intake.launch()
    await watch.expect("SpoolDamaged")
    kafka.resume()
    await watch.expect_silence("SpoolFilling")


def _damage(spool: Path) -> None:
    """Change a byte in the middle of the first file that holds events."""
    path = max(spool_folder.list_segments(spool), key=lambda one: one.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
