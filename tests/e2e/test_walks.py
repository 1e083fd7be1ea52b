"""Each walk of docs/architecture.md is what the running service does, in that order and within its limits.

A service runs as a process of its own, on real servers, and records which functions of `services` and `schemas` it
calls between a cause (a POST, a fact, a verdict, a GET) and its effect. What the service calls when nothing happens is
left out of the counts.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.topics import DELIVERIES, VERDICTS
from services.notifier.settings import GROUP
from services.runtime.clock import steer
from tests.support.builders import plans
from tests.support.clients.notifier import (
    AGENCY,
    NOON,
    NotifierClient,
    a_step,
    an_assessment,
    an_event_of,
    an_urging,
)
from tests.support.clients.readers import ReadersFile
from tests.support.servers.intake import STRUCTURED, IntakeFiles, encode_event, publish_plan
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.mongo import Database
from tests.support.servers.rules import RulesClient
from tests.support.servers.tracing import Call, TracedService, Walk

ROOT = Path(__file__).parents[2]
WALKS = (
    "A POST through intake",
    "A fact through rules",
    "An alert through the notifier",
    "A page through reporting",
)
MAX_STOPS = 12
STOP = re.compile(r"(\d+)\. `(services/[\w/]+\.py)`, `([\w.]+)`: \S")

Launch = Callable[..., TracedService]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One stop of a walk: a function in a file, as the document names them."""

    path: str
    function: str

    def is_call(self, call: Call) -> bool:
        """Whether *call* enters this stop."""
        path, name = call
        return path == self.path and (name == self.function or name.endswith(f".{self.function}"))


@pytest.fixture
def launch_traced(tmp_path: Path, bus: Bus) -> Iterator[Launch]:
    """Start traced services on the test's broker; they are stopped after the test."""
    started: list[TracedService] = []

    def start(name: str, settings: Mapping[str, str]) -> TracedService:
        shared = {"DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap, "DONDOC_PARTITIONS": str(PARTITIONS)}
        service = TracedService(name, tmp_path / f"{name}-traced", environment={**shared, **settings})
        started.append(service)
        service.launch()
        service.wait_until_ready()
        return service

    yield start
    for service in started:
        service.stop()


async def test_a_post_through_intake(launch_traced: Launch, bus: Bus, intake_files: IntakeFiles, bearer: str) -> None:
    """A POST with one complete report enters the stops in order, and at most 22 files and 80 functions.

    The log reader works in the background: it may read the event back before the answer or after it.
    """
    await publish_plan(bus)
    intake = launch_traced("intake", intake_files.environment)
    connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(identity: str) -> None:
        reader, writer = connections[0]
        # Head and body in one segment, because the service does more for a body that arrives later.
        body = encode_event(plans.a_submission(identity))
        headers = {"host": "x", "authorization": f"Bearer {bearer}", "content-type": STRUCTURED}
        lines = [f"{name}: {value}\r\n" for name, value in (headers | {"content-length": len(body)}).items()]
        writer.write(b"POST /v1/events HTTP/1.1\r\n" + "".join(lines).encode() + b"\r\n" + body)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        length = re.search(rb"content-length: (\d+)", head)
        assert head.startswith(b"HTTP/1.1 202 "), head
        assert length, head
        await reader.readexactly(int(length[1]))

    async def connect_and_post() -> None:
        connections.append(await asyncio.open_connection("127.0.0.1", urlsplit(intake.url).port))
        for number in range(3):
            await post(f"w-{number}")

    walk = await intake.trace(lambda: post("w-traced"), warm_up=connect_and_post, without="LogReader._read")
    connections[0][1].close()
    _check_order(walk, _read_stops("A POST through intake"))
    _check_limits(walk, files=22, functions=80)


async def test_a_fact_through_rules(launch_traced: Launch, bus: Bus) -> None:
    """The third report of a duty takes the full path in the order of the stops, through at most 20 files.

    The files of `services/rules` and `schemas` are counted. Two of `services/runtime` come on top: the consumer's loop
    and the conversion of Kafka's timestamps.
    """
    rules = RulesClient(bus)
    await rules.publish(plans.a_registry(), plans.a_plan())  # without a plan the service is not ready
    service = launch_traced("rules", {})
    await rules.publish_usual_plan()

    async def report(number: int) -> None:
        await rules.append_fact(plans.a_submission(f"w-{number}"))
        # The adoption of the plan made the first assessment of the duty.
        await rules.wait_for_assessments(AGENCY, times=1 + number)

    async def report_twice() -> None:
        await report(1)
        await report(2)

    walk = await service.trace(lambda: report(3), warm_up=report_twice)
    _check_order(walk, _read_stops("A fact through rules"))
    _check_limits(walk.within("services/rules/", "schemas/"), files=20)


@pytest.fixture
def notifier(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> NotifierClient:
    """A client of the notifier with an empty mailbox, at noon on 1 December 2026."""
    client = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    client.set_clock(NOON)
    return client


async def test_an_alert_through_the_notifier(launch_traced: Launch, notifier: NotifierClient) -> None:
    """A verdict becomes a mail in the mail server in the order of the stops, through at most 26 files.

    The files of `services/notifier` and `schemas` are counted, up to the mail. Recording the attempt and publishing its
    event come after it. Of `services/runtime` ten come on top: the consumer's loop, the door for bytes, the published
    documents, the trace and the clock, and the five by which the ledger knows its log.
    """
    await notifier.publish_documents()
    await notifier.load_contacts()
    service = launch_traced("notifier", notifier.settings)

    async def send_first() -> None:
        await notifier.publish_assessments(an_assessment(a_step(9)))
        await notifier.wait_for_attempts(1)
        # Its own events are read too, which is no part of the next alert's way.
        await notifier.bus.wait_until_consumed(GROUP, DELIVERIES.name)

    async def send() -> None:
        await notifier.publish_assessments(an_assessment(a_step(9), a_step(8, at=NOON), revision=2))
        await notifier.wait_for_mails(2)
        await notifier.wait_for_attempts(2)

    walk = await service.trace(send, warm_up=send_first)
    _check_order(walk, _read_stops("An alert through the notifier"))
    up_to_the_mail = walk.until("services/notifier/channels/email.py")
    _check_limits(up_to_the_mail.within("services/notifier/", "schemas/"), files=26)
    _check_limits(up_to_the_mail.within("services/runtime/"), files=10)


async def test_a_page_through_reporting(
    launch_traced: Launch, bus: Bus, database: Database, readers: ReadersFile, tmp_path: Path
) -> None:
    """GET / of the dashboard with one verdict stored enters the stops in order."""
    clock = tmp_path / "clock"
    steer(clock, NOON)
    await RulesClient(bus).publish(plans.a_registry(), plans.a_plan())
    service = launch_traced(
        "reporting",
        {
            "DONDOC_MONGO_URL": database.url,
            "DONDOC_REPORTING_MONGO_DATABASE": database.name,
            "DONDOC_REPORTING_READERS": str(readers.path),
            "DONDOC_CLOCK": f"steered:{clock}",
        },
    )
    await bus.publish(VERDICTS.name, an_event_of(an_assessment(an_urging(0))), key=AGENCY)
    await bus.wait_until_consumed("dondoc-reporting", VERDICTS.name)
    async with httpx.AsyncClient(base_url=service.url, headers=readers.headers, timeout=30) as client:

        async def get() -> None:
            answer = await client.get("/duties")
            assert answer.status_code == 200
            assert AGENCY in answer.text

        async def get_another() -> None:
            # Of the same page the second time nothing is read that has not changed.
            assert (await client.get("/duties", params={"period": "2019"})).status_code == 200

        walk = await service.trace(get, warm_up=get_another)
    _check_order(walk, _read_stops("A page through reporting"))
    _check_limits(walk)


def test_the_walks_are_complete() -> None:
    """The document has these walks and no other, and each of them has stops."""
    assert tuple(_read_walks()) == WALKS
    assert [title for title in WALKS if not _read_stops(title)] == []


def _read_walks() -> dict[str, str]:
    """Return the text of each walk of the document by its title."""
    document = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    found = re.search(r"^## Walks\n(.*?)^## ", document, re.MULTILINE | re.DOTALL)
    assert found, 'docs/architecture.md has no section "Walks"'
    _, *parts = re.split(r"^### (.+)\n", found[1], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _read_stops(title: str) -> list[Stop]:
    """Return the stops of a walk; fail if a numbered line is no stop, or if there are too many."""
    walks = _read_walks()
    assert title in walks, f'docs/architecture.md has no walk "{title}"'
    stops: list[Stop] = []
    for line in (line for line in walks[title].splitlines() if re.match(r"\s*\d+[.)]", line)):
        found = STOP.match(line)
        expected = f'"{len(stops) + 1}. `services/….py`, `function`: what it does"'
        assert found is not None, f"{title}: {line!r} is not {expected}"
        assert int(found[1]) == len(stops) + 1, f"{title}: {line!r} is not {expected}"
        stops.append(Stop(path=found[2], function=found[3]))
    assert stops, f"{title}: no numbered stop found"
    assert len(stops) <= MAX_STOPS, f"{title}: {len(stops)} stops are more than {MAX_STOPS}"
    return stops


def _check_order(walk: Walk, stops: Sequence[Stop]) -> None:
    """Fail unless the stops are entered in their order.

    The first call of a stop counts. A background loop calls some stops in every turn, with nothing to do; of those the
    first call after the stop before counts.
    """
    place = -1
    for number, stop in enumerate(stops, start=1):
        calls = [index for index, call in enumerate(walk.recorded) if stop.is_call(call)]
        assert calls, f"stop {number}, {stop.path} {stop.function}, is not entered"
        if any(stop.is_call(call) for call in walk.idle):
            calls = [index for index in calls if index > place]
        order = f"stop {number}, {stop.path} {stop.function}, is entered before stop {number - 1}; the walk is"
        assert min(calls, default=-1) > place, f"{order}\n{_format_calls(walk.functions)}"
        place = calls[0]


def _check_limits(walk: Walk, *, files: int | None = None, functions: int | None = None) -> None:
    """Fail if the walk enters more files or functions than allowed; name them."""
    changes = sum(one[0] != other[0] for one, other in zip(walk.calls, walk.calls[1:], strict=False))
    print(f"{len(walk.files)} files, {len(walk.functions)} functions, {changes} changes of file")
    print(_format_calls(walk.functions))
    if files is not None:
        assert len(walk.files) <= files, f"{len(walk.files)} files:\n" + "\n".join(walk.files)
    if functions is not None:
        assert len(walk.functions) <= functions, f"{len(walk.functions)} functions:\n" + _format_calls(walk.functions)


def _format_calls(calls: Sequence[Call]) -> str:
    return "\n".join(f"{path} {name}" for path, name in calls)
