"""Spool files harmed at random between kills of intake: every event with a receipt is in the log or counted as lost."""

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from deploy.local.process.ports import free_ports
from schemas.events.topics import FACTS
from services.console.commands.intake import spool as spool_command
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import AGENCIES, Json, a_submission
from tests.support.servers.intake import IntakeFiles, encode_event, open_client, publish_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Launch, Service

SEEDS = range(int(os.environ.get("CHAOS_SPOOL_SEEDS", "4")))
EVENTS = 300
SENDERS = 8
KILLS = 2
NOTE_BYTES = 20_000  # an event, so that there are several segments
PAGE_BYTES = 4096

Harm = Callable[[random.Random, list[Path]], None]


def flip_bits(chance: random.Random, segments: list[Path]) -> None:
    """Flip five bits anywhere."""
    for _ in range(5):
        path = chance.choice(segments)
        content = bytearray(path.read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)


def zero_pages(chance: random.Random, segments: list[Path]) -> None:
    """Lose some pages of a segment."""
    path = chance.choice(segments)
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content)) // PAGE_BYTES * PAGE_BYTES
    length = min(chance.randrange(1, 4) * PAGE_BYTES, len(content) - start)
    content[start : start + length] = bytes(length)
    path.write_bytes(content)


def cut_off(chance: random.Random, segments: list[Path]) -> None:
    """Lose the end of a segment."""
    path = chance.choice(segments)
    os.truncate(path, chance.randrange(path.stat().st_size))


def write_noise(chance: random.Random, segments: list[Path]) -> None:
    """Overwrite a stretch with other bytes."""
    path = chance.choice(segments)
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content))
    length = min(chance.randrange(1, 9_000), len(content) - start)
    content[start : start + length] = chance.randbytes(length)
    path.write_bytes(content)


def remove_segment(chance: random.Random, segments: list[Path]) -> None:
    """Lose a whole segment."""
    chance.choice(segments).unlink()


def copy_segment(chance: random.Random, segments: list[Path]) -> None:
    """Put a segment in the place of another one."""
    source, target = chance.choice(segments), chance.choice(segments)
    target.write_bytes(source.read_bytes())


HARMS: tuple[Harm, ...] = (flip_bits, zero_pages, cut_off, write_noise, remove_segment, copy_segment)


async def send(client: httpx.AsyncClient, event: Json) -> Json:
    """Post until the answer is 202, as an upstream system does, and return the receipt."""
    while True:
        try:
            answer = await client.post("/v1/events", content=encode_event(event))
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code == 202:
            return dict(answer.json()["receipts"][0])
        assert answer.status_code == 503, answer.text


async def spool_events(service: Service, bearer: str, events: Iterable[Json]) -> dict[str, Json]:
    """Have *events* spooled, with kills in between, and return the receipts."""
    waiting = iter(events)
    receipts: dict[str, Json] = {}

    async def send_on() -> None:
        async with open_client(service, bearer) as client:
            for event in waiting:
                receipts[event["id"]] = await send(client, event)

    async def kill_often() -> None:
        for number in range(1, KILLS + 1):
            enough = number * EVENTS // (KILLS + 1)
            await eventually(lambda: len(receipts) >= enough, f"{enough} events spooled", timeout=90)  # noqa: B023 - awaited in place
            service.kill()
            service.launch()

    await asyncio.gather(kill_often(), *(send_on() for _ in range(SENDERS)))
    service.kill()
    return receipts


def reports(seed: int) -> Iterable[Json]:
    """Different reports of every agency."""
    for number in range(EVENTS):
        agency = AGENCIES[number % len(AGENCIES)]
        data = {"agency": agency, "note": "ộ" * (NOTE_BYTES // 3)}
        yield a_submission(f"d-{seed}-{number}", data=data, subject=agency)


def count_lost(folder: Path) -> int | None:
    """How many events `dondoc spool inspect` counts as lost; None where it says that it cannot know."""
    result = CliRunner().invoke(spool_command.app, ["inspect", "--spool", str(folder), "--format", "jsonl"])
    assert result.exit_code in {0, 1}, result.stderr
    counts = [json.loads(line)["events_lost"] for line in result.stdout.splitlines()]
    return None if None in counts else sum(counts)


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
async def test_what_was_acknowledged_is_in_the_log_or_counted_as_lost(
    bus: Bus, launch: Launch, intake_files: IntakeFiles, bearer: str, harm: Harm
) -> None:
    """Whatever the harm, and however often intake is killed while it spools and while it replays."""
    await publish_plan(bus)
    launch("intake", **intake_files.environment).stop()  # leaves the published plans beside the spool
    folder = intake_files.folder / "spool"
    receipts: dict[str, Json] = {}
    lost: list[int | None] = []
    for seed in SEEDS:
        chance = random.Random(f"{harm.__name__} {seed}")  # noqa: S311 - places, not secrets
        nowhere = {"DONDOC_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_ports(1)[0]}"}
        blind = launch("intake", ready=False, **intake_files.environment, **nowhere)
        receipts |= await spool_events(blind, bearer, reports(seed))
        harm(chance, sorted(folder.glob("*.spool")))
        service = launch("intake", ready=False, **intake_files.environment)
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(1.0, 4.0))  # its length is the moment of the kill
            service.kill()
            service.launch()
        await eventually(lambda: is_drained(service, folder), "the spool drained", timeout=120)  # noqa: B023 - awaited in place
        service.stop()
        lost.append(count_lost(folder))
        recovered = CliRunner().invoke(spool_command.app, ["recover", "--spool", str(folder), "--format", "jsonl"])
        assert recovered.exit_code == (0 if lost[-1] == 0 else 1), recovered.stderr
        service.launch()
        await eventually(lambda: is_drained(service, folder), "what was recovered drained", timeout=120)  # noqa: B023 - awaited in place
        service.stop()
    found = [record.json for record in await bus.records(FACTS.name)]
    assert set(Counter(one["id"] for one in found).values()) == {1}
    given = {one["id"]: (one["receiptid"], one["receivedtime"]) for one in receipts.values()}
    in_log = {one["id"]: (one["receiptid"], one["receivedtime"]) for one in found}
    assert in_log.items() <= given.items()
    missing = len(given) - len(in_log)
    if None not in lost:
        assert missing == sum(one or 0 for one in lost)
    print(f"{harm.__name__}: acknowledged {len(given)}, lost {missing}, of which told {lost}, doubled 0")


def is_drained(service: Service, folder: Path) -> bool:
    """Whether the broker is in use and no segment is left."""
    try:
        is_up = httpx.get(f"{service.url}/readyz", timeout=5).json()["kafka"]
    except httpx.TransportError:
        return False
    return bool(is_up) and not list(folder.glob("*.spool"))
