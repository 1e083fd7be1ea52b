"""Upgrade and rollback: the commit before and this one run side by side on one log, in both orders.

The other commit is checked out beside this one and runs from there, with the same Python packages. It is the parent of
this commit, or what DONDOC_TEST_UPGRADE_FROM names, such as the tag of the last release.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.topics import WITH_DEAD_LETTERS
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, NOON, NotifierClient, a_contact
from tests.support.clients.readers import ReadersFile
from tests.support.servers.intake import IntakeFiles, encode_event, open_client
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Service

ROOT = Path(__file__).parents[3]
SERVICES = ("intake", "rules", "notifier", "reporting")
NOTHING: Mapping[str, object] = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
PERIOD = {"period": "2026"}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout of the commit before this one."""
    place = tmp_path_factory.mktemp("before") / "checkout"
    commit = os.environ.get("DONDOC_TEST_UPGRADE_FROM", "HEAD~1")
    _git("worktree", "add", "--quiet", "--detach", str(place), commit)
    yield place
    _git("worktree", "remove", "--force", str(place))


@dataclass(frozen=True, kw_only=True)
class Installation:
    """The four services of one checkout, on servers that it may share with another one."""

    services: Mapping[str, Service]

    def start(self) -> None:
        """Start all, and wait until they are ready."""
        for service in self.services.values():
            service.launch()
        for service in self.services.values():
            service.wait_until_ready()

    def stop(self, *names: str) -> None:
        """Stop the services of these names."""
        for name in names:
            self.services[name].stop()


@dataclass(frozen=True, kw_only=True)
class Season:
    """What a test does from outside while versions change: it posts reports and looks at what is known of them."""

    client: NotifierClient
    files: IntakeFiles
    bearer: str
    reader: ReadersFile

    async def post(self, service: Service, report: plans.Json) -> str:
        """Post a report, and return the id of its receipt."""
        async with open_client(service, self.bearer) as sender:
            answer = await sender.post("/v1/events", content=encode_event(report))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["receipts"][0]["receiptid"])

    async def wait_until_shown(self, service: Service, agency: str, *words: str) -> None:
        """Wait until the duty of *agency*, as reporting tells it, has all *words*."""
        path = f"/v1/duties/{plans.PLAN}/{agency}/{plans.OBLIGATION}/2026"
        headers = {"authorization": f"Bearer {self.reader.bearer}"}
        async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30) as http:

            async def is_shown() -> bool:
                answer = await http.get(path)
                return answer.status_code == 200 and all(word in answer.text for word in words)

            await eventually(is_shown, f"{words} of {agency}", timeout=180.0)


@pytest.fixture
async def season(  # noqa: PLR0913, PLR0917 - the servers of a whole installation
    bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, intake_files: IntakeFiles, bearer: str, tmp_path: Path
) -> Season:
    """The usual plan is published and each agency has a mailbox; it is noon on 1 December 2026."""
    client = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    client.set_clock(NOON)
    await client.publish_documents()
    await client.load_contacts(*(a_contact(agency) for agency in plans.AGENCIES))
    reader = ReadersFile(tmp_path / "readers.json")
    return Season(client=client, files=intake_files, bearer=bearer, reader=reader)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("order", ["upgrade", "rollback"])
async def test_two_versions_share_a_log(season: Season, before: Path, tmp_path: Path, order: str) -> None:
    """Service by service the one takes over from the other: all reports count, nobody is told twice, none is refused.

    The versions overlap, so each reads what the other wrote: facts, states of rules, verdicts, ledger, projections.
    """
    checkouts = (before, ROOT) if order == "upgrade" else (ROOT, before)
    first, second = (_install(season, one, tmp_path / f"{number}") for number, one in enumerate(checkouts))
    first.start()
    try:
        incomplete = plans.a_submission("s-1", data={**PERIOD, "content": NOTHING})
        await season.post(first.services["intake"], incomplete)
        await season.wait_until_shown(first.services["reporting"], AGENCY, "incomplete")
        await season.client.wait_for_mails(1)
        second.start()
        complete = plans.a_submission("s-2", data={**PERIOD, "corrects": "s-1"})
        await season.post(first.services["intake"], complete)
        await season.wait_until_shown(second.services["reporting"], AGENCY, "on_time")
        first.stop(*SERVICES)
        # Sent again to the other version, the very event is known, and another agency's report is taken.
        await season.post(second.services["intake"], complete)
        other = plans.a_submission("s-3", data={**PERIOD, "agency": plans.AGENCIES[1]}, subject=plans.AGENCIES[1])
        await season.post(second.services["intake"], other)
        await season.wait_until_shown(second.services["reporting"], plans.AGENCIES[1], "on_time")
        await season.client.wait_until_followed()
        await season.client.wait_until_idle()
    finally:
        first.stop(*SERVICES)
        second.stop(*SERVICES)
    assert len(season.client.smtp.mails()) == 1
    for topic in WITH_DEAD_LETTERS:
        assert await season.client.bus.records(topic.dead_letter) == []


def _install(season: Season, checkout: Path, folder: Path) -> Installation:
    client = season.client
    shared = {
        **client.settings,
        "PYTHONPATH": str(checkout),
        "DONDOC_KAFKA_BOOTSTRAP": client.bus.bootstrap,
        "DONDOC_PARTITIONS": str(PARTITIONS),
        "DONDOC_REPORTING_MONGO_DATABASE": f"{client.database.name}-r",
        "DONDOC_REPORTING_READERS": str(season.reader.path),
        **season.files.environment,
        "DONDOC_INTAKE_SPOOL": str(folder / "spool"),
    }
    services = {name: Service(name, folder / name, environment=shared) for name in SERVICES}
    for name, service in services.items():
        command = (sys.executable, "-m", f"services.{name}")
        service.program = replace(service.program, command=command)
    return Installation(services=services)


def _git(*arguments: str) -> None:
    subprocess.run(("git", "-C", str(ROOT), *arguments), check=True, capture_output=True)  # noqa: S607 - git of the path
