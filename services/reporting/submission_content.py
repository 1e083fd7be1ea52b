"""Decode what a submission contains: its figures with the digits that they were written with, its texts, its cut-off.

The decoder is tolerant: what is missing reads as absent, and members that it does not know are ignored. Intake has
checked every event before it was recorded.
"""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from services.reporting.core.results import StandingSubmission


class _ContentMembers(msgspec.Struct):
    nil_return: bool = False
    figures_as_of: date | None = None
    sections: dict[str, str | None] = {}
    # A number is kept as text, for a double would not hold its digits.
    indicators: dict[str, Any] = {}


class _SubmissionMembers(msgspec.Struct):
    content: _ContentMembers = msgspec.field(default_factory=_ContentMembers)


class _SubmissionEvent(msgspec.Struct):
    source: str
    id: str
    data: _SubmissionMembers


_SUBMISSION_DECODER = msgspec.json.Decoder(_SubmissionEvent, float_hook=str)


def decode_submission(record: bytes) -> StandingSubmission:
    """Return the content of the submission in *record*; raise `msgspec.DecodeError` if it is none."""
    event = _SUBMISSION_DECODER.decode(record)
    content = event.data.content
    parsed = {code: _parse_figure(text) for code, text in content.indicators.items()}
    return StandingSubmission(
        source=event.source,
        id=event.id,
        is_nil_return=content.nil_return,
        cut_off=content.figures_as_of,
        figures={code: figure for code, figure in parsed.items() if figure is not None},
        sections={section: text for section, text in content.sections.items() if text is not None},
    )


def _parse_figure(text: object) -> Decimal | None:
    if not isinstance(text, str | int) or isinstance(text, bool):
        return None
    try:
        figure = Decimal(text)
    except InvalidOperation:
        return None
    return figure if figure.is_finite() else None
