"""Decode what a submission contains: its figures with the digits that they were written with, its texts, its cut-off.

The decoder is tolerant: what is missing reads as absent, and members that it does not know are ignored. Intake has
checked every event before it was recorded.
"""

from datetime import date
from decimal import Decimal

import msgspec

from services.reporting.core.results import StandingSubmission
from services.runtime.decoding import RecordDecoder


class _ContentMembers(msgspec.Struct):
    nil_return: bool = False
    figures_as_of: date | None = None
    sections: dict[str, str | None] = {}
    # A decimal keeps every digit, whether it was written as a number or as text.
    indicators: dict[str, Decimal | None] = {}


class _SubmissionMembers(msgspec.Struct):
    content: _ContentMembers = msgspec.field(default_factory=_ContentMembers)


class _SubmissionEvent(msgspec.Struct):
    source: str
    id: str
    data: _SubmissionMembers


_SUBMISSION_DECODER: RecordDecoder[_SubmissionEvent] = RecordDecoder(_SubmissionEvent)


def decode_submission(record: bytes) -> StandingSubmission:
    """Return the content of the submission in *record*; raise `UnreadableRecordError` if it is none."""
    event = _SUBMISSION_DECODER.decode(record)
    content = event.data.content
    return StandingSubmission(
        source=event.source,
        id=event.id,
        is_nil_return=content.nil_return,
        cut_off=content.figures_as_of,
        # NaN and Infinity are decimals to Python, but no figures.
        figures={code: one for code, one in content.indicators.items() if one is not None and one.is_finite()},
        sections={section: text for section, text in content.sections.items() if text is not None},
    )
