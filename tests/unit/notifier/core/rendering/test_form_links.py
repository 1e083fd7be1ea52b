"""Which mails carry a link to the form, and what the link opens."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from schemas.events.form_links import LinkKey
from services.notifier.core.rendering.form_links import FormLinks
from services.notifier.core.rendering.render import RenderOptions
from tests.unit.notifier.digest_builders import AGENCY, a_digest, an_alert, render_text
from tests.unit.notifier.schedule_builders import days

KEY = LinkKey("a secret of the form that is long enough")
OPTIONS = RenderOptions(form_links=FormLinks(key=KEY, base_url="https://baocao.example/", lifetime=timedelta(days=90)))


def test_a_reminder_carries_a_link_for_its_own_duty() -> None:
    """The link opens the agency's duty until ninety days after the mail, in text and in HTML."""
    text = render_text(a_digest(), options=OPTIONS, now=days(-7))
    (address,) = re.findall(r"https://\S+", text.body)
    link = KEY.verify_link(parse_qs(urlsplit(address).query)["t"][0])
    assert urlsplit(address).path == "/form"
    assert link.duty == an_alert().duty
    assert link.expires_at == days(-7 + 90).replace(microsecond=0)
    assert text.html is not None
    assert address in text.html.replace("&amp;", "&")


def test_each_duty_of_a_digest_has_its_own_link() -> None:
    """A digest of two duties carries two links."""
    text = render_text(a_digest(an_alert(), an_alert(period="2025")), options=OPTIONS)
    tokens = [parse_qs(urlsplit(one).query)["t"][0] for one in re.findall(r"https://\S+", text.body)]
    assert [KEY.verify_link(token).duty.period for token in tokens] == ["2026", "2025"]


def test_nobody_else_gets_the_link() -> None:
    """A superior agency, a list, and an agency that is informed of its own escalation get no link."""
    for digest in (
        a_digest(an_alert(StepKind.ESCALATION, to="parent"), to="ubnd-tinh"),
        a_digest(an_alert(), to="chairman-list"),
        a_digest(an_alert(StepKind.ESCALATION), to=AGENCY),
    ):
        assert "https://" not in render_text(digest, options=OPTIONS).body


def test_an_sms_carries_no_link() -> None:
    """An SMS has no link, because it would take two further parts."""
    assert "https://" not in render_text(a_digest(channel=Channel.SMS), options=OPTIONS).body


def test_without_a_form_there_is_no_link() -> None:
    """If no form key is set, no form is offered."""
    assert "biểu mẫu" not in render_text(a_digest()).body


def test_the_link_asks_for_the_reader_s_language() -> None:
    """A reader of English gets the form in English."""
    assert "lang=en" in render_text(a_digest(), language="en", options=OPTIONS).body
