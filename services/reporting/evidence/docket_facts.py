"""Decode the stored facts of a docket with their content; one that cannot be read hides no other."""

from collections.abc import Callable, Iterable

from services.reporting import event_decoder
from services.reporting.content import fact_details
from services.reporting.core.evidence.duty_facts import DutyFact
from services.reporting.core.timeline import UnreadableRecord
from services.reporting.stored_documents import StoredFact
from services.runtime.decoding import UnreadableRecordError


def decode_facts(
    stored: Iterable[StoredFact], note_unreadable: Callable[[UnreadableRecord], None]
) -> tuple[list[DutyFact], list[UnreadableRecord]]:
    """Return what *stored* decodes to, and those that cannot be read, each of which is noted."""
    decoded: list[DutyFact] = []
    unreadable: list[UnreadableRecord] = []
    for one in stored:
        try:
            decoded.append(decode_fact(one))
        except UnreadableRecordError as cause:
            unreadable.append(UnreadableRecord(id=one.receiptid, reason=str(cause)))
            note_unreadable(unreadable[-1])
    return decoded, unreadable


def decode_fact(stored: StoredFact) -> DutyFact:
    """Return a fact with its content; raise `UnreadableRecordError` where it is none about a duty."""
    if stored.recorded_at is None:
        raise UnreadableRecordError("", "the document has lost when the log recorded it")
    fact = event_decoder.decode_fact(stored.record, recorded_at=stored.recorded_at)
    if fact is None:
        raise UnreadableRecordError("", "it is no fact about a duty")
    return DutyFact(fact=event_decoder.describe_fact(fact), details=fact_details.decode_details(stored.record))
