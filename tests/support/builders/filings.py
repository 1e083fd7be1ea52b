"""Reports as facts of the usual duty, and the status of the duty with them on file."""

from services.rules.core.assess import Segment
from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_duty, at, received, wall
from tests.support.builders.plans import Json, a_submission

EMPTY: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
NIL: Json = EMPTY | {"nil_return": True}
LATER = "2025-06-01 00:00"


def report(
    event: str, on: str, *, content: Json | None = None, number: str | None = None, files: str = "", **data: object
) -> Fact:
    """Build a report received at a local time; each has its own number unless one is given."""
    told: Json = dict(data)
    if content is not None:
        told["content"] = content
    if number is not None:
        told["document"] = {"number": number, "issued_on": "2024-12-01", "signed_by": "A", "title": "BC"}
    told["attachments"] = [
        {"name": one, "media_type": "application/pdf", "size": 1, "sha256": one * 64, "url": None} for one in files
    ]
    return received(a_submission(event, data=told), on)


def in_the_end(*facts: Fact, version: Json | None = None) -> Segment:
    """Return the last segment of the usual duty."""
    return at(LATER, a_duty(*([version] if version else [])), *facts)


def outcome(found: Segment) -> tuple[str, str | None, int, tuple[str, ...]]:
    """Return status, effective instant, number of submissions and flags."""
    return found.status.value, wall(found.effective_at), found.submissions, found.flags
