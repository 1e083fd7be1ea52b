"""The link by which the reader of a mail hands the report in: for the agency that owes it, and for nobody else.

A superior or a list that hears of the duty gets none: the link is a capability, not a piece of information.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.events.assessments import StepKind
from schemas.events.form_links import DutyLink, LinkKey, form_url
from services.notifier.core.scheduling.digest import Notice
from services.notifier.core.scheduling.routing import Language
from services.notifier.core.scheduling.scheduled_alert import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLinks:
    """Makes links to the form below *base*, good for *lasting* from the instant of sending."""

    key: LinkKey
    base: str
    lasting: timedelta

    def address(self, telling: Telling, notice: Notice, *, language: Language, now: datetime) -> str | None:
        """Return the link for *telling*, or nothing where the reader of *notice* is not who owes the report."""
        if telling.duty.agency != notice.to_agency or telling.call.kind is StepKind.ESCALATION:
            return None
        token = self.key.sign_link(DutyLink(duty=telling.duty, expires_at=now + self.lasting))
        return form_url(self.base, token, language)
