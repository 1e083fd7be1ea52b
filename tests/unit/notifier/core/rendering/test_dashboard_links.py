"""Which mails carry a link to the dashboard, and whom it lets in."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from schemas.events.assessments import StepKind
from schemas.events.dashboard_links import DashboardKey
from services.notifier.core.rendering.dashboard_links import DashboardLinks
from services.notifier.core.rendering.render import RenderOptions
from tests.unit.notifier.digest_builders import AGENCY, a_digest, an_alert, render_text
from tests.unit.notifier.schedule_builders import days

KEY = DashboardKey("a secret of the dashboard that is long enough")
OPTIONS = RenderOptions(dashboard_links=DashboardLinks(key=KEY, base_url="https://theodoi.example/"))


def test_a_mail_lets_its_agency_read_what_is_its_own() -> None:
    """A digest of two duties carries one link, for the agency that owes them, good for ninety days."""
    text = render_text(a_digest(an_alert(), an_alert(period="2025")), options=OPTIONS, now=days(-7))
    (address,) = re.findall(r"https://\S+", text.body)
    link = KEY.verify_link(parse_qs(urlsplit(address).query)["t"][0])
    assert (urlsplit(address).path, link.agency) == ("/open", AGENCY)
    assert link.expires_at - link.issued_at == timedelta(days=90)
    assert text.html is not None
    assert address in text.html.replace("&amp;", "&")


def test_nobody_else_gets_the_link() -> None:
    """A superior agency, a list, and an agency that is informed of its own escalation get none."""
    for digest in (
        a_digest(an_alert(StepKind.ESCALATION, to="parent"), to="ubnd-tinh"),
        a_digest(an_alert(), to="chairman-list"),
        a_digest(an_alert(StepKind.ESCALATION), to=AGENCY),
    ):
        assert "https://" not in render_text(digest, options=OPTIONS).body


def test_the_link_asks_for_the_reader_s_language() -> None:
    """A reader of English gets the dashboard in English."""
    assert "lang=en" in render_text(a_digest(), language="en", options=OPTIONS).body
