"""The contents of submissions, decoded once: what an event says never changes, while the figures it is in often do."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from services.reporting import submission_content
from services.reporting.core.reported_duties import StandingSubmission
from services.reporting.core.timeline import EventIdentity, UnreadableRecord
from services.reporting.current import thread_work
from services.reporting.store import StateIncompleteError
from services.reporting.stored_documents import StoredFact
from services.runtime.decoding import UnreadableRecordError

# The records that the contents were decoded from: two seasons of ten thousand agencies have twenty megabytes, and take
# about twice as much when decoded.
RECORD_BYTES_KEPT_MAX = 64 * 1024 * 1024

# The database gives documents in portions, so that one question about a large plan does not fill its memory.
EVENTS_AT_ONCE = 2_000

# Verdicts and facts are read side by side, so a verdict may be stored a moment before the fact behind it.
LATECOMERS_SECONDS = 3.0
POLL_SECONDS = 0.1


class UnreadableContentError(Exception):
    """Stored records that a sum rests on cannot be read: rebuild the database from the log, which has them.

    A document of results has no place for what is missing from it, so there is no answer instead.
    """

    def __init__(self, records: Sequence[UnreadableRecord]) -> None:
        super().__init__(f"{len(records)} of the stored records that the figures rest on cannot be read")
        self.records = records


class EventSource(Protocol):
    """Finds facts by their identity."""

    async def find_events(self, identities: Iterable[EventIdentity], known_at: datetime) -> list[StoredFact]: ...
    async def find_facts_generation(self) -> Hashable: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _DecodedContent:
    """The content of a submission, when the log recorded it, and the size of its record."""

    content: StandingSubmission
    recorded_at: datetime | None
    record_bytes: int


class SubmissionContents:
    """Finds contents in *archive*, and keeps those that were read last.

    What is kept is of one generation of the facts. Where a topic was lost and filled again, another event may have the
    same source and id.
    """

    def __init__(self, archive: EventSource, record_bytes_max: int = RECORD_BYTES_KEPT_MAX) -> None:
        self._archive = archive
        self._record_bytes_max = record_bytes_max
        # Of the generation of facts that was asked for last.
        self._generation: Hashable | None = None
        self._kept: OrderedDict[EventIdentity, _DecodedContent] = OrderedDict()
        self._record_bytes = 0

    async def find_generation(self) -> Hashable:
        """Return what stands for the facts that contents are read from, until they are read from the log anew."""
        return await self._archive.find_facts_generation()

    async def find(
        self, identities: Sequence[EventIdentity], known_at: datetime
    ) -> Mapping[EventIdentity, StandingSubmission]:
        """Return the contents of the submissions with *identities*, which were recorded by *known_at*.

        Raises `UnreadableContentError` where one cannot be read, and `StateIncompleteError` where one is not stored
        within three seconds.
        """
        # Asked before the facts: what is read later is of this generation or of a newer one.
        generation = await self.find_generation()
        contents, missing = self._select_kept(generation, identities, known_at)
        polls = 0
        while missing:
            if polls:
                if polls * POLL_SECONDS > LATECOMERS_SECONDS:
                    raise StateIncompleteError
                await asyncio.sleep(POLL_SECONDS)
            contents |= await self._read(generation, missing, known_at)
            missing = [one for one in missing if one not in contents]
            polls += 1
        return contents

    def _select_kept(
        self, generation: Hashable, identities: Sequence[EventIdentity], known_at: datetime
    ) -> tuple[dict[EventIdentity, StandingSubmission], list[EventIdentity]]:
        """Return what is kept of *identities*, and those that have to be read."""
        if generation != self._generation:
            self._generation, self._record_bytes = generation, 0
            self._kept.clear()
        contents, missing = {}, []
        for identity in identities:
            kept = self._kept.get(identity)
            if kept is None or kept.recorded_at is None or kept.recorded_at > known_at:
                missing.append(identity)
            else:
                contents[identity] = kept.content
        return contents, missing

    async def _read(
        self, generation: Hashable, identities: Sequence[EventIdentity], known_at: datetime
    ) -> dict[EventIdentity, StandingSubmission]:
        contents: dict[EventIdentity, StandingSubmission] = {}
        for start in range(0, len(identities), EVENTS_AT_ONCE):
            found = await self._archive.find_events(identities[start : start + EVENTS_AT_ONCE], known_at)
            decoded = await thread_work.load(partial(_decode, found), work=len(found), fresh=len(found))
            self._keep(generation, decoded)
            contents |= {identity: one.content for identity, one in decoded.items()}
        return contents

    def _keep(self, generation: Hashable, decoded: Mapping[EventIdentity, _DecodedContent]) -> None:
        if generation != self._generation:
            return
        for identity, one in decoded.items():
            before = self._kept.pop(identity, None)
            self._record_bytes += one.record_bytes - (before.record_bytes if before else 0)
            self._kept[identity] = one
        while self._record_bytes > self._record_bytes_max:
            _, oldest = self._kept.popitem(last=False)
            self._record_bytes -= oldest.record_bytes


def _decode(facts: Iterable[StoredFact]) -> Mapping[EventIdentity, _DecodedContent]:
    """Return the contents by identity; where several facts have one identity, the first recorded counts."""
    contents: dict[EventIdentity, _DecodedContent] = {}
    unreadable = []
    for fact in sorted(facts, key=StoredFact.recording_order):
        try:
            content = submission_content.decode_submission(fact.record)
        except UnreadableRecordError as cause:
            unreadable.append(UnreadableRecord(id=fact.receiptid, reason=str(cause)))
        else:
            one = _DecodedContent(content=content, recorded_at=fact.recorded_at, record_bytes=len(fact.record or b""))
            contents.setdefault((content.source, content.id), one)
    if unreadable:
        raise UnreadableContentError(unreadable)
    return contents
