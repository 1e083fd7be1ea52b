"""Form links: the link in a mail that opens the web form for one duty.

Only the agency that owes the report gets one. The link is a capability: anybody who holds it can report for the agency.
So a superior agency or a contact list that is informed about the duty gets none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.events.assessments import StepKind
from schemas.events.form_links import DutyLink, LinkKey, form_url
from services.notifier.core.scheduling.digest import Digest
from services.notifier.core.scheduling.routing import Language
from services.notifier.core.scheduling.scheduled_alert import DutyAlert

# An escalation goes to others; after the notices there is nothing to send.
_WITHOUT_FORM = frozenset({StepKind.ESCALATION, StepKind.RECEIVED, StepKind.EXEMPTION, StepKind.SUCCESSION})


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLinks:
    """Creates links to the form below `base_url` that expire `lifetime` after the mail was sent."""

    key: LinkKey
    base_url: str
    lifetime: timedelta

    def create_link(self, one: DutyAlert, digest: Digest, *, language: Language, now: datetime) -> str | None:
        """Return the link for the duty of an alert, or None if the reader of *digest* does not owe the report."""
        if one.duty.agency != digest.to_agency or one.alert.kind in _WITHOUT_FORM:
            return None
        asked = one.alert.correction
        link = DutyLink(
            duty=one.duty,
            issued_at=now,
            expires_at=now + self.lifetime,
            corrects=None if asked is None else asked.submission,
        )
        return form_url(self.base_url, self.key.sign_link(link), language)
