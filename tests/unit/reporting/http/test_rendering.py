"""Documents are made a few at a time, kept by the digest of their content, and never shared across scopes."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from services.reporting.core.access import readers
from services.reporting.http import rendering
from services.reporting.http.rendering import DocumentCache, DocumentKey, RenderingLimit, TooManyDocumentsError
from tests.support.builders.reports import report_inputs

KEY = DocumentKey(digest="d", extension="pdf", language="vi", scope=("all",))


async def test_more_than_may_wait_are_sent_away() -> None:
    """Two are made, one waits, the fourth is refused; a place that is given back can be had again."""
    limit, hold = RenderingLimit(at_a_time=2, waiting_max=1), asyncio.Event()
    made: list[int] = []

    async def make(number: int) -> None:
        async with limit.hold_place():
            made.append(number)
            await hold.wait()

    tasks = [asyncio.create_task(make(number)) for number in range(3)]
    await asyncio.sleep(0)
    assert made == [0, 1]
    with pytest.raises(TooManyDocumentsError):
        await make(3)
    hold.set()
    await asyncio.gather(*tasks)
    await make(4)
    assert made == [0, 1, 2, 4]


async def test_who_goes_away_while_waiting_gives_the_place_back() -> None:
    """Whatever ends a request, its place does not stay taken."""
    limit, hold = RenderingLimit(at_a_time=1, waiting_max=1), asyncio.Event()

    async def make() -> None:
        async with limit.hold_place():
            await hold.wait()

    making, waiting = asyncio.create_task(make()), asyncio.create_task(make())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    other = asyncio.create_task(make())
    hold.set()
    await asyncio.gather(making, other)


@pytest.mark.parametrize(
    "changes", [{"digest": "e"}, {"extension": "xlsx"}, {"language": "en"}, {"scope": ("group:x",)}]
)
def test_only_the_very_same_document_is_found(changes: dict[str, Any]) -> None:
    """Content, format, language and scope are all part of what a document is known by, and of its tag."""
    cache = DocumentCache()
    cache.keep(KEY, b"made")
    other = replace(KEY, **changes)
    assert (cache.find(KEY), cache.find(other)) == (b"made", None)
    assert KEY.tag != other.tag


def test_the_oldest_make_room() -> None:
    """The cache is bounded in bytes; what was asked for last stays longest, and what is too large is not kept."""
    cache = DocumentCache(bytes_max=10)
    keys = [replace(KEY, digest=str(number)) for number in range(4)]
    cache.keep(keys[0], b"1234")
    cache.keep(keys[1], b"1234")
    assert cache.find(keys[0])
    cache.keep(keys[2], b"1234")
    cache.keep(keys[3], b"12345678901")
    assert [cache.find(key) is not None for key in keys] == [True, False, True, False]


def test_the_digest_covers_everything_that_a_document_is_drawn_from() -> None:
    """Not the figures alone: also a grade's sentence, a document's number, the instant asked about."""
    inputs = report_inputs.some_report_inputs()

    def describe(changed: object) -> DocumentKey:
        return rendering.describe_document(changed, "pdf", "vi", readers.EVERYTHING)  # type: ignore[arg-type]  # inputs, all of them

    changed = [
        replace(inputs, findings=()),
        replace(inputs, evaluations=inputs.evaluations[1:]),
        replace(inputs, documents={}),
        replace(inputs, report=replace(inputs.report, as_of=inputs.report.known_at.replace(year=2030))),
    ]
    assert describe(inputs) == describe(inputs)
    assert len({describe(one) for one in (inputs, *changed)}) == 5
