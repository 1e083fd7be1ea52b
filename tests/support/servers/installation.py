"""The four services of one checkout as a whole, and what a test does to them from outside during a season."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import NotifierClient
from tests.support.clients.readers import ReadersFile
from tests.support.servers.intake import IntakeFiles, encode_event, open_client
from tests.support.servers.kafka import PARTITIONS
from tests.support.servers.services import Service

SERVICES = ("intake", "rules", "notifier", "reporting")


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
    """What a test does from outside while operators work: it posts reports and looks at what is known of them."""

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


def install(season: Season, checkout: Path, folder: Path, *, bootstrap: str | None = None) -> Installation:
    """Return the services of *checkout* on the servers of *season*, or on another broker; none is started yet."""
    client = season.client
    shared = {
        **client.settings,
        "PYTHONPATH": str(checkout),
        "DONDOC_KAFKA_BOOTSTRAP": bootstrap or client.bus.bootstrap,
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
