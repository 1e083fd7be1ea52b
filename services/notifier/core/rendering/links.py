"""The links of a letter: to the form for one duty, to the reader's own pages, and to acknowledge the letter.

A link is a capability: whoever holds it acts for the agency. So a superior agency or a contact list that is informed
about the duty gets none. Of a report that an office which has ended still owes, its successor gets the link to the
form, which files in the successor's own name on behalf of that office (ruling 7).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.events.acknowledge_links import AcknowledgeLink, AcknowledgeLinkKey, acknowledge_url
from schemas.events.assessments import StepKind
from schemas.events.dashboard_links import LIFETIME_MAX, AgencyLink, DashboardKey, dashboard_url
from schemas.events.form_links import DutyLink, LinkKey, form_url
from services.notifier.core.scheduling.routing import SELF, Digest, Language
from services.notifier.core.scheduling.scheduled_alert import DutyAlert

# An escalation goes to others; after the notices there is nothing to send.
_WITHOUT_FORM = frozenset({StepKind.ESCALATION, StepKind.RECEIVED, StepKind.EXEMPTION, StepKind.SUCCESSION})
_ACKNOWLEDGED = frozenset({StepKind.REMINDER, StepKind.URGING, StepKind.INCOMPLETE})


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLinks:
    """Creates links to the form below `base_url` that expire `lifetime` after the mail was sent."""

    key: LinkKey
    base_url: str
    lifetime: timedelta

    def create_link(self, one: DutyAlert, digest: Digest, *, language: Language, now: datetime) -> str | None:
        """Return the link for the duty of an alert, or None if the reader of *digest* is not to send the report."""
        is_asked = one.duty.agency == digest.to_agency or one.alert.is_inherited
        if not is_asked or one.alert.kind in _WITHOUT_FORM:
            return None
        asked = one.alert.correction
        link = DutyLink(
            duty=one.duty,
            issued_at=now,
            expires_at=now + self.lifetime,
            corrects=None if asked is None else asked.submission,
            filed_by=digest.to_agency if one.alert.is_inherited else None,
        )
        return form_url(self.base_url, self.key.sign_link(link), language)


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardLinks:
    """Creates links to the dashboard at `base_url` that expire 90 days after the mail was sent."""

    key: DashboardKey
    base_url: str

    def create_link(self, digest: Digest, *, language: Language, now: datetime) -> str | None:
        """Return the link for the reader of *digest*, or None if that reader owes none of its reports."""
        agency = digest.to_agency
        owes = any(one.duty.agency == agency and one.alert.kind is not StepKind.ESCALATION for one in digest.alerts)
        if not owes:
            return None
        token = self.key.sign_link(AgencyLink(agency=agency, issued_at=now, expires_at=now + LIFETIME_MAX))
        return dashboard_url(self.base_url, token, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeLinks:
    """Creates links below `base_url` by which an agency says that it has read a letter, good for `lifetime`."""

    key: AcknowledgeLinkKey
    base_url: str
    lifetime: timedelta

    def create_link(self, digest: Digest, delivery: str, *, language: Language, now: datetime) -> str | None:
        """Return the link for the *delivery* of *digest*, or None if its reader is asked for nothing."""
        agency = digest.to_agency
        asked = [
            one.duty
            for one in digest.alerts
            if one.duty.agency == agency and one.alert.to == SELF and one.alert.kind in _ACKNOWLEDGED
        ]
        if not asked:
            return None
        link = AcknowledgeLink(delivery=delivery, agency=agency, expires_at=now + self.lifetime)
        return acknowledge_url(self.base_url, self.key.sign_link(link), language)
