"""Reports as the rulings on filings speak of them, and the status of the usual duty with them on file."""

from schemas.events.wire import WireSegment
from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_duty, a_fact, segment_at, wall
from tests.support.builders.plans import Json, a_submission

EMPTY: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
NIL: Json = EMPTY | {"nil_return": True}
LATER = "2025-06-01 00:00"


def a_report(
    event: str, on: str, *, content: Json | None = None, number: str | None = None, files: str = "", **data: object
) -> Fact:
    """Build a report received at a wall time; each has its own number unless one is given.

    Each letter of *files* stands for one attached file with its own digest.
    """
    fields: Json = dict(data)
    if content is not None:
        fields["content"] = content
    if number is not None:
        fields["document"] = {"number": number, "issued_on": "2024-12-01", "signed_by": "A", "title": "BC"}
    fields["attachments"] = [
        {"name": one, "media_type": "application/pdf", "size": 1, "sha256": one * 64, "url": None} for one in files
    ]
    return a_fact(a_submission(event, data=fields), on)


def final_segment(*facts: Fact, version: Json | None = None) -> WireSegment:
    """Return the last answer about the usual duty."""
    return segment_at(LATER, a_duty(*([version] if version else [])), *facts)


def summarise(segment: WireSegment) -> tuple[str, str | None, int, tuple[str, ...]]:
    """Return status, effective instant, number of submissions and flags."""
    return segment.status.value, wall(segment.effective_at), segment.submissions, segment.flags
