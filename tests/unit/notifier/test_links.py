"""Which mails carry a link to the form, and what the link opens."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from schemas.events.form_links import LinkKey
from services.notifier.core.rendering.form_links import FormLinks
from services.notifier.core.rendering.render import Means
from tests.unit.notifier.agendas import days
from tests.unit.notifier.words import AGENCY, a_notice, a_telling, written

KEY = LinkKey("a secret of the form that is long enough")
MEANS = Means(links=FormLinks(key=KEY, base="https://baocao.example/", lasting=timedelta(days=90)))


def test_a_reminder_carries_a_link_for_its_own_duty() -> None:
    """The link opens the agency's duty until ninety days after the mail, in text and in HTML."""
    text = written(a_notice(), means=MEANS, now=days(-7))
    (address,) = re.findall(r"https://\S+", text.body)
    link = KEY.verify_link(parse_qs(urlsplit(address).query)["t"][0])
    assert urlsplit(address).path == "/form"
    assert link.duty == a_telling().duty
    assert link.expires_at == days(-7 + 90).replace(microsecond=0)
    assert text.html is not None
    assert address in text.html.replace("&amp;", "&")


def test_each_duty_of_a_digest_has_its_own_link() -> None:
    """A digest of two duties carries two links."""
    text = written(a_notice(a_telling(), a_telling(period="2025")), means=MEANS)
    tokens = [parse_qs(urlsplit(one).query)["t"][0] for one in re.findall(r"https://\S+", text.body)]
    assert [KEY.verify_link(token).duty.period for token in tokens] == ["2026", "2025"]


def test_nobody_else_gets_the_link() -> None:
    """A superior, a list, and an agency that hears of its own escalation can open nothing."""
    for notice in (
        a_notice(a_telling(StepKind.ESCALATION, to="parent"), to="ubnd-tinh"),
        a_notice(a_telling(), to="chairman-list"),
        a_notice(a_telling(StepKind.ESCALATION), to=AGENCY),
    ):
        assert "https://" not in written(notice, means=MEANS).body


def test_an_sms_carries_no_link() -> None:
    """A link would cost two parts of a short message."""
    assert "https://" not in written(a_notice(channel=Channel.SMS), means=MEANS).body


def test_without_a_form_there_is_no_link() -> None:
    """Where no key is set nothing is offered."""
    assert "biểu mẫu" not in written(a_notice()).body


def test_the_link_asks_for_the_reader_s_language() -> None:
    """A reader of English gets the form in English."""
    assert "lang=en" in written(a_notice(), language="en", means=MEANS).body
