"""The stream of changes: server-sent events that resume where a reader was cut off."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from tests.support.builders.annual_report import a_year
from tests.support.clients.readers import ReadersFile
from tests.support.servers.services import Service

PublishEvents = Callable[..., Awaitable[None]]
StartReporting = Callable[..., Service]


async def read_event(lines: AsyncIterator[str]) -> dict[str, str]:
    """Read one event of a stream; comments are left out."""
    event: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if not line and event:
            return event
        if name in {"id", "event", "data"}:
            event[name] = value
    raise AssertionError("the stream has ended")


async def test_changes_are_streamed_and_resumed(
    reporting: StartReporting, publish_events: PublishEvents, readers: ReadersFile
) -> None:
    """A reader hears which duties changed, of what it may see alone; who was cut off hears what it has missed."""
    revisions, _attempts = a_year()
    own = readers.create("agency:h-03", name="own")
    url = reporting().url
    async with httpx.AsyncClient(base_url=url, headers=readers.headers, timeout=60) as client:
        assert (await client.get("/v1/stream", params={"colour": "red"})).status_code == 400
        async with client.stream("GET", "/v1/stream") as everything:
            heard = everything.aiter_lines()
            ready = await read_event(heard)
            await publish_events(revisions)
            first = await read_event(heard)
        assert (ready["event"], first["event"]) == ("ready", "changes")
        (about, *_) = json.loads(first["data"])["changes"]
        assert (about["plan"], about["count"] > 0, len(about["duties"]) > 0) == ("6766-KH-UBND", True, True)

        resumed = {**readers.headers, "last-event-id": ready["id"]}
        async with client.stream("GET", "/v1/stream", headers=resumed) as again:
            lines = again.aiter_lines()
            events = [await read_event(lines), await read_event(lines)]
        assert [one["event"] for one in events] == ["ready", "changes"]
        assert events[1] == first

        mine = {"authorization": f"Bearer {own}", "last-event-id": ready["id"]}
        async with client.stream("GET", "/v1/stream", headers=mine) as alone:
            lines = alone.aiter_lines()
            await read_event(lines)
            seen = json.loads((await read_event(lines))["data"])["changes"]
        assert {duty["agency"] for change in seen for duty in change["duties"]} == {"h-03"}

        async with client.stream("GET", "/v1/stream", headers={"last-event-id": "0"}) as lost:
            assert (await read_event(lost.aiter_lines()))["event"] == "reset"
