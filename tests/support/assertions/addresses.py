"""Addresses of contacts stay in the notifier's database: no log line, record, metric or answer may hold one."""

import asyncio
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException

from deploy.local.process.ports import LOOPBACK
from schemas.events.topics import DELIVERIES, VERDICTS
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

PATHS = ("/metrics", "/readyz", "/v1/outbox", "/v1/receipts")


async def check_nowhere(addresses: Iterable[str], services: Iterable[Service], bus: Bus) -> None:
    """Fail with the first place outside the database that holds one of *addresses*, in part or as it is dialled."""
    wanted = {one.removeprefix("+").rpartition("@")[0] + "@" if "@" in one else one.lstrip("+") for one in addresses}
    places: list[tuple[str, str]] = []
    for service in services:
        places.append((f"the log of {service.program.name}", service.program.log.read_text(errors="replace")))
        places += await asyncio.to_thread(_read_answers, service)
    for topic in (DELIVERIES.name, DELIVERIES.dead_letter, VERDICTS.dead_letter):
        places += [(topic, f"{one.headers} {one.value!r}") for one in await bus.records(topic)]
    found = [(place, one) for place, text in places for one in wanted if one in text]
    assert not found, found[0]


def _read_answers(service: Service) -> list[tuple[str, str]]:
    answers: list[tuple[str, str]] = []
    for path in PATHS:
        connection = HTTPConnection(LOOPBACK, service.port, timeout=5.0)
        try:
            connection.request("GET", path)
            answers.append((f"{service.program.name}{path}", connection.getresponse().read().decode(errors="replace")))
        except (OSError, HTTPException):
            break  # it has ended, as its test wanted
        finally:
            connection.close()
    return answers
