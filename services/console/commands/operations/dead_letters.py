"""`dondoc dead-letters`: lists and shows records of the dead-letter topics, and sends them to their topic again.

A record is named `TOPIC/PARTITION/OFFSET` by its place in the dead-letter topic, for example `facts/3/17`.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from schemas.events.topics import WITH_DEAD_LETTERS, Topic
from services.console.support import output, topic_reader
from services.console.support.inputs import UnusableInputError
from services.console.support.topic_reader import Result
from services.runtime.clock import clock_from, milliseconds
from services.runtime.kafka import dead_letters as headers
from services.runtime.kafka import raw_batches
from services.runtime.kafka.raw_batches import RawBatch
from services.runtime.settings import ServiceSettings

app = typer.Typer(
    help="Records that were set aside: list them, look at one, send it through again.", no_args_is_help=True
)

HEADER_PREFIX = "dondoc-"
LARGEST_REQUEST_BYTES = 17 * 1024 * 1024  # what the dead letter topics carry in one record
REPLAYED_FROM = "dondoc-replayed-from"
TOPICS_BY_NAME = {topic.name.split(".")[1]: topic for topic in WITH_DEAD_LETTERS}
_NAME = re.compile(rf"({'|'.join(TOPICS_BY_NAME)})/[0-9]+/[0-9]+")

Name = Annotated[str, typer.Argument(metavar="NAME", help="TOPIC/PARTITION/OFFSET, as the list gives it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDeadLetter:
    """One record of the dead-letter topic of *topic*."""

    topic: Topic
    record: ConsumerRecord[Any, Any]

    @property
    def name(self) -> str:
        """The name by which the command line asks for it: `TOPIC/PARTITION/OFFSET`."""
        return f"{self.topic.name.split('.')[1]}/{self.record.partition}/{self.record.offset}"

    def header(self, name: str) -> str | None:
        """Return the last header of that name as text; None where there is none, or one without a value."""
        found = [value for header, value in self.record.headers if header == name]
        return _decode_text(found[-1]) if found else None

    @property
    def is_damaged_batch(self) -> bool:
        """Whether it holds the bytes of a damaged batch instead of a record."""
        return self.header(headers.ORIGIN_NEXT_OFFSET) is not None

    def row(self) -> dict[str, Any]:
        """Return the record as a row of the list."""
        return {
            "name": self.name,
            "set_aside_at": self.header(headers.SET_ASIDE_AT),
            "key": _decode_text(self.record.key),
            "origin": "/".join(str(self.header(part)) for part in (headers.ORIGIN_PARTITION, headers.ORIGIN_OFFSET)),
            "reason": self.header(headers.REASON),
        }


@app.command("list")
def list_records(
    topic: Annotated[str, typer.Option(help=f"One of {', '.join(TOPICS_BY_NAME)}; default all.")] = "",
    fmt: Annotated[
        output.OutputFormat, typer.Option("--format", help="How they are printed.")
    ] = output.OutputFormat.TABLE,
) -> None:
    """List what was set aside. Exit 1 if there is anything."""
    with output.exit_on_errors():
        found = _run(partial(_read_all, _parse_topics(topic)))
    if not found:
        output.print_message("nothing was set aside")
        return
    output.print_rows([one.row() for one in found], fmt, title="Dead letters")
    raise typer.Exit(output.EXIT_NEGATIVE)


@app.command()
def show(name: Name) -> None:
    """Print one record: why, from where, and what it holds."""
    with output.exit_on_errors():
        (found,) = _find_by_name([name])
    texts = {header: _decode_text(value) for header, value in found.record.headers}
    output.print_json({**found.row(), "headers": texts, "value": _decode_text(found.record.value)})


@app.command()
def replay(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Which; see the list.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Send records through again, as new records at the end of their topic, in the order in which they were set aside.

    What was applied before changes nothing a second time; what is still poison is set aside again.
    """
    with output.exit_on_errors():
        if bool(names) == everything:
            raise UnusableInputError("name the records to send again, or give --all")
        found = _run(partial(_read_all, tuple(TOPICS_BY_NAME.values()))) if everything else _find_by_name(names or [])
        damaged = [one.name for one in found if one.is_damaged_batch]
        if damaged and not everything:
            raise UnusableInputError(f"{', '.join(damaged)}: the bytes of a damaged batch hold no record to send again")
        found = [one for one in found if not one.is_damaged_batch]
        _run(partial(_resend, found))
    for one in found:
        output.print_json({"name": one.name, "sent_to": one.topic.name, "partition": one.record.partition})


@app.command("skip-damaged")
def skip_damaged(
    topic: Annotated[str, typer.Argument(help=f"One of {', '.join(TOPICS_BY_NAME)}.")],
    partition: Annotated[int, typer.Argument(help="Its partition, as the service's log names it.")],
    offset: Annotated[int, typer.Argument(help="The offset of the damaged batch, as the service's log names it.")],
    *,
    reason: Annotated[str, typer.Option(help="Why its records may be left out, and who says so.")],
) -> None:
    """Set a damaged batch of the log aside with its bytes, and let every consumer of the topic go on behind it.

    Its records are lost to the system unless their senders send them again. First try whether another replica has them.
    """
    with output.exit_on_errors():
        if topic not in TOPICS_BY_NAME:
            raise UnusableInputError(f"TOPIC: {topic!r} is none; choose from {', '.join(TOPICS_BY_NAME)}")
        place = TopicPartition(TOPICS_BY_NAME[topic].name, partition)
        damage = _run(partial(_set_damage_aside, place, offset, reason))
    span = {"offset": damage.offset, "next_offset": damage.next_offset, "bytes": len(damage.data)}
    output.print_json({"topic": topic, "partition": partition, **span})


async def _set_damage_aside(place: TopicPartition, offset: int, reason: str, settings: ServiceSettings) -> RawBatch:
    async with raw_batches.open_raw_reader(settings.kafka, place.topic) as reader:
        damage = await reader.find_damage(place, offset)
    if damage is None or damage.offset != offset:
        where = "nothing is damaged there" if damage is None else f"the next damaged batch is at {damage.offset}"
        raise UnusableInputError(f"{place.topic}, partition {place.partition}, offset {offset}: {where}")
    producer = AIOKafkaProducer(**settings.kafka.client(), acks="all", max_request_size=LARGEST_REQUEST_BYTES)
    async with producer:
        letters = headers.DeadLetters(producer, clock_from(settings.clock))
        await letters.set_aside_damaged(place, damage, reason=f"damaged: {reason}")
    return damage


async def _read_all(topics: Iterable[Topic], settings: ServiceSettings) -> list[StoredDeadLetter]:
    found = [
        StoredDeadLetter(topic=topic, record=record)
        for topic in topics
        for records in (await topic_reader.read_topic(settings.kafka, topic.dead_letter)).values()
        for record in records
    ]
    return sorted(found, key=lambda one: (one.record.timestamp, one.name))


async def _resend(letters: Iterable[StoredDeadLetter], settings: ServiceSettings) -> None:
    clock = clock_from(settings.clock)
    async with AIOKafkaProducer(**settings.kafka.client(), acks="all", enable_idempotence=True) as producer:
        # One at a time, so that the records keep the order in which they were set aside.
        for one in letters:
            await producer.send_and_wait(
                one.topic.name,
                one.record.value,
                key=one.record.key,
                partition=one.record.partition,  # a dead-letter topic has the partitions of its origin
                timestamp_ms=milliseconds(clock.now()),
                headers=[*_original_headers(one), (REPLAYED_FROM, one.name.encode())],
            )


def _original_headers(letter: StoredDeadLetter) -> Iterator[tuple[str, bytes]]:
    """Yield the headers that the record had before it was set aside."""
    return ((name, value) for name, value in letter.record.headers if not name.startswith(HEADER_PREFIX))


def _find_by_name(names: Collection[str]) -> list[StoredDeadLetter]:
    malformed = [name for name in names if not _NAME.fullmatch(name)]
    if malformed:
        raise UnusableInputError(f"{', '.join(malformed)}: write TOPIC/PARTITION/OFFSET, for example facts/3/17")
    letters = {one.name: one for one in _run(partial(_read_all, tuple(TOPICS_BY_NAME.values())))}
    missing = [name for name in names if name not in letters]
    if missing:
        raise UnusableInputError(f"no dead letter {', '.join(missing)}; `dondoc dead-letters list` names them")
    return [letters[name] for name in names]


def _parse_topics(short: str) -> tuple[Topic, ...]:
    if short and short not in TOPICS_BY_NAME:
        raise UnusableInputError(f"--topic: {short!r} is none; choose from {', '.join(TOPICS_BY_NAME)}")
    return (TOPICS_BY_NAME[short],) if short else tuple(TOPICS_BY_NAME.values())


def _run(query: Callable[[ServiceSettings], Awaitable[Result]]) -> Result:
    settings = ServiceSettings()
    return asyncio.run(topic_reader.translate_broker_errors(query(settings), settings.kafka))


def _decode_text(value: bytes | None) -> str | None:
    """Return bytes as text that a terminal can show; bytes that are not UTF-8 are escaped."""
    return None if value is None else value.decode(errors="backslashreplace")
