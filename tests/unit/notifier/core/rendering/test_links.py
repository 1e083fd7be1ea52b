"""Which mails carry links to form, dashboard and acknowledgement, and what each link opens."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from schemas.events.acknowledge_links import AcknowledgeLinkKey
from schemas.events.assessments import StepKind
from schemas.events.dashboard_links import DashboardKey
from schemas.events.deliveries import Channel
from schemas.events.form_links import LinkKey
from schemas.events.wire import WireNotice
from services.notifier.core.rendering import render
from services.notifier.core.rendering.links import AcknowledgeLinks, DashboardLinks, FormLinks
from services.notifier.core.rendering.render import RenderedMessage, RenderOptions
from tests.unit.notifier.digest_builders import AGENCY, a_digest, an_alert, render_text
from tests.unit.notifier.schedule_builders import days

FORM = LinkKey("a secret of the form that is long enough")
DASHBOARD = DashboardKey("a secret of the dashboard that is long enough")
READ = AcknowledgeLinkKey("a secret of the acknowledgement, long enough")
OPTIONS = RenderOptions(
    form_links=FormLinks(key=FORM, base_url="https://baocao.example/", lifetime=timedelta(days=90)),
    dashboard_links=DashboardLinks(key=DASHBOARD, base_url="https://theodoi.example/"),
    acknowledge_links=AcknowledgeLinks(key=READ, base_url="https://thu.example/", lifetime=timedelta(days=90)),
)


def find_links(mail: RenderedMessage, path: str) -> list[str]:
    """Return the tokens of the links to *path* in the plain text, after a check that the HTML has them as well."""
    found = [one for one in re.findall(r"https://\S+", mail.body) if urlsplit(one).path == path]
    assert [one for one in found if one not in (mail.html or "").replace("&amp;", "&")] == []
    return [parse_qs(urlsplit(one).query)["t"][0] for one in found]


def test_a_reminder_carries_a_link_for_its_own_duty() -> None:
    """The link opens the agency's duty until ninety days after the mail, right below the first sentence."""
    text = render_text(a_digest(), options=OPTIONS, now=days(-7))
    (token,) = find_links(text, "/form")
    assert FORM.verify_link(token).duty == an_alert().duty
    assert FORM.verify_link(token).expires_at == days(-7 + 90).replace(microsecond=0)
    assert text.body.split("\n\n")[2].startswith("Mở biểu mẫu gửi báo cáo (dành riêng cho Quý cơ quan):\nhttps://")


def test_each_duty_of_a_digest_has_its_own_link() -> None:
    """A digest of two duties carries two links, each beside its report, and one for the agency."""
    text = render_text(a_digest(an_alert(), an_alert(period="2025")), options=OPTIONS)
    assert [FORM.verify_link(token).duty.period for token in find_links(text, "/form")] == ["2025", "2026"]
    assert [DASHBOARD.verify_link(token).agency for token in find_links(text, "/open")] == [AGENCY]


@pytest.mark.parametrize("kind", [StepKind.REMINDER, StepKind.URGING, StepKind.INCOMPLETE])
def test_what_asks_can_be_acknowledged(kind: StepKind) -> None:
    """The link names the delivery and the agency."""
    (token,) = find_links(render_text(a_digest(an_alert(kind)), options=OPTIONS), "/acknowledge")
    link = READ.verify_link(token)
    assert (link.delivery, link.agency) == ("d-1", AGENCY)


def test_what_only_tells_cannot_be_acknowledged() -> None:
    """Whoever is thanked, exempt or succeeded is asked for nothing."""
    for kind in (StepKind.RECEIVED, StepKind.EXEMPTION, StepKind.SUCCESSION):
        assert find_links(render_text(a_digest(an_alert(kind)), options=OPTIONS), "/acknowledge") == []


def test_a_successor_gets_the_form_of_what_an_office_still_owes() -> None:
    """The link files the office's report in the successor's name; nothing of the office's is opened besides."""
    inherited = an_alert(StepKind.URGING, agency="h-cu", to=AGENCY, notice=WireNotice(heirs=(AGENCY,)))
    mail = render_text(a_digest(inherited), options=OPTIONS)
    (token,) = find_links(mail, "/form")
    link = FORM.verify_link(token)
    assert (link.duty.agency, link.filed_by) == ("h-cu", AGENCY)
    assert find_links(mail, "/open") == find_links(mail, "/acknowledge") == []


def test_nobody_else_gets_a_link() -> None:
    """A superior agency, a list, an agency told of its own escalation, and one that co-operates get none."""
    for digest in (
        a_digest(an_alert(StepKind.ESCALATION, to="parent"), to="ubnd-tinh"),
        a_digest(an_alert(), to="chairman-list"),
        a_digest(an_alert(StepKind.ESCALATION), to=AGENCY),
        a_digest(an_alert(to="ubnd-tinh"), to="ubnd-tinh"),
    ):
        assert "https://" not in render_text(digest, options=OPTIONS).body


def test_an_sms_carries_no_link() -> None:
    """A link would take two further parts."""
    assert "https://" not in render_text(a_digest(channel=Channel.SMS), options=OPTIONS).body


def test_links_ask_for_the_reader_s_language() -> None:
    """A reader of English gets form, dashboard and acknowledgement in English."""
    assert render_text(a_digest(), language="en", options=OPTIONS).body.count("lang=en") == 3


def test_the_kept_text_opens_nothing() -> None:
    """The record keeps what was said; the tokens of its links are keys and are not kept."""
    mail = render_text(a_digest(), options=OPTIONS)
    kept = render.keep_text(mail)
    assert kept is not None
    assert "https://baocao.example/form?t=…" in kept.body
    assert [
        one for path in ("/form", "/open", "/acknowledge") for one in find_links(mail, path) if one in kept.body
    ] == []
    assert re.fullmatch(r"vi/reminder@\d+", kept.template)
