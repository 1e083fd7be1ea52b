"""`dondoc dead-letters`: what was set aside, why, and sending it through again.

A record is named `TOPIC/PARTITION/OFFSET`, where it lies among the dead letters: `facts/3/17`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaProducer, ConsumerRecord

from schemas.events.topics import WITH_DEAD_LETTERS, Topic
from services.console.support import output, topic_reader
from services.console.support.inputs import Unusable
from services.console.support.topic_reader import Answer
from services.runtime import dead_letters as headers
from services.runtime.clock import clock_from, milliseconds
from services.runtime.settings import ServiceSettings

app = typer.Typer(
    help="Records that were set aside: list them, look at one, send it through again.", no_args_is_help=True
)

OURS = "dondoc-"
REPLAYED_FROM = "dondoc-replayed-from"
SHORT = {topic.name.split(".")[1]: topic for topic in WITH_DEAD_LETTERS}

Name = Annotated[str, typer.Argument(metavar="NAME", help="TOPIC/PARTITION/OFFSET, as the list gives it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One record set aside, and where it lies."""

    topic: Topic
    record: ConsumerRecord[Any, Any]

    @property
    def name(self) -> str:
        """How it is asked for."""
        return f"{self.topic.name.split('.')[1]}/{self.record.partition}/{self.record.offset}"

    def header(self, name: str) -> str | None:
        """Return one of our headers as text."""
        found = [value for header, value in self.record.headers if header == name]
        return found[-1].decode(errors="replace") if found else None

    def row(self) -> dict[str, Any]:
        """Return it as a line of the list."""
        return {
            "name": self.name,
            "set_aside_at": self.header(headers.SET_ASIDE_AT),
            "key": _text(self.record.key),
            "origin": "/".join(str(self.header(part)) for part in (headers.ORIGIN_PARTITION, headers.ORIGIN_OFFSET)),
            "reason": self.header(headers.REASON),
        }


@app.command("list")
def listed(
    topic: Annotated[str, typer.Option(help=f"One of {', '.join(SHORT)}; default all.")] = "",
    fmt: Annotated[output.Format, typer.Option("--format", help="How they are printed.")] = output.Format.TABLE,
) -> None:
    """List what was set aside. Exit 1 if there is anything."""
    with output.exits():
        found = _run(partial(_all, _topics(topic)))
    if not found:
        output.say("nothing was set aside")
        return
    output.rows([one.row() for one in found], fmt, title="Dead letters")
    raise typer.Exit(output.NEGATIVE)


@app.command()
def show(name: Name) -> None:
    """Print one record: why, from where, and what it holds."""
    with output.exits():
        (found,) = _named([name])
    told = {header: value.decode(errors="replace") for header, value in found.record.headers}
    output.line({**found.row(), "headers": told, "value": _text(found.record.value)})


@app.command()
def replay(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Which; see the list.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Send records through again, as new records at the end of their topic, in the order in which they were set aside.

    What was applied before changes nothing a second time; what is still poison is set aside again.
    """
    with output.exits():
        if bool(names) == everything:
            raise Unusable("name the records to send again, or give --all")
        found = _run(partial(_all, tuple(SHORT.values()))) if everything else _named(names or [])
        _run(partial(_sent, found))
    for one in found:
        output.line({"name": one.name, "sent_to": one.topic.name, "partition": one.record.partition})


async def _all(topics: Iterable[Topic], settings: ServiceSettings) -> list[DeadLetter]:
    found = [
        DeadLetter(topic=topic, record=record)
        for topic in topics
        for records in (await topic_reader.read(settings.kafka, topic.dead_letter)).values()
        for record in records
    ]
    return sorted(found, key=lambda one: (one.record.timestamp, one.name))


async def _sent(found: Iterable[DeadLetter], settings: ServiceSettings) -> None:
    clock = clock_from(settings.clock)
    async with AIOKafkaProducer(**settings.kafka.client(), acks="all", enable_idempotence=True) as producer:
        for one in found:
            await producer.send_and_wait(
                one.topic.name,
                one.record.value,
                key=one.record.key,
                partition=one.record.partition,
                timestamp_ms=milliseconds(clock.now()),
                headers=[*_theirs(one), (REPLAYED_FROM, one.name.encode())],
            )


def _theirs(one: DeadLetter) -> Iterator[tuple[str, bytes]]:
    """Give the headers that the record had before it was set aside."""
    return ((name, value) for name, value in one.record.headers if not name.startswith(OURS))


def _named(names: Iterable[str]) -> list[DeadLetter]:
    known = {one.name: one for one in _run(partial(_all, tuple(SHORT.values())))}
    missing = [name for name in names if name not in known]
    if missing:
        raise Unusable(f"no dead letter {', '.join(missing)}; `dondoc dead-letters list` names them")
    return [known[name] for name in names]


def _topics(short: str) -> tuple[Topic, ...]:
    if short and short not in SHORT:
        raise Unusable(f"--topic: {short!r} is none; choose from {', '.join(SHORT)}")
    return (SHORT[short],) if short else tuple(SHORT.values())


def _run(ask: Callable[[ServiceSettings], Awaitable[Answer]]) -> Answer:
    settings = ServiceSettings()
    return asyncio.run(topic_reader.from_broker(ask(settings), settings.kafka))


def _text(value: bytes | None) -> str | None:
    """Return bytes as text that a terminal can show; what is no UTF-8 is escaped."""
    return None if value is None else value.decode(errors="backslashreplace")
