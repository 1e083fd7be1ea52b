"""Dashboard links: the link in a mail by which an agency reads what is its own on the dashboard.

Only the agency that owes the report gets one, as with links to the form: whoever holds it reads as that agency.
"""

from dataclasses import dataclass
from datetime import datetime

from schemas.events.assessments import StepKind
from schemas.events.dashboard_links import LIFETIME_MAX, AgencyLink, DashboardKey, dashboard_url
from services.notifier.core.scheduling.digest import Digest
from services.notifier.core.scheduling.routing import Language


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
