"""An SMS is short, unaccented unless set otherwise, and has at most three parts."""

from datetime import timedelta

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.rendering.render import RenderOptions, SmsLetters
from services.notifier.core.scheduling.routing import Language
from tests.support.builders.plans import Json
from tests.unit.notifier.digest_builders import FakeDocuments, a_digest, absent_parts, an_alert, render_text
from tests.unit.notifier.schedule_builders import DUE

UNDATED: Json = {"due_at": None, "step": "incomplete:s-1"}


@pytest.mark.parametrize(
    ("title", "sms"),
    [
        ("Kết quả năm", 'gui bao cao "Ket qua nam 2026" (muc III.1, 6766/KH-UBND).'),
        (
            "Gửi kết quả thực hiện Kế hoạch về Ngân hàng Chính sách xã hội",
            "gui bao cao nam 2026 theo muc III.1, 6766/KH-UBND.",
        ),
    ],
    ids=["full", "brief"],
)
def test_a_usual_sms_is_one_part_without_accents(title: str, sms: str) -> None:
    """The full wording is used if it fits one part, else the brief one."""
    text = render_text(a_digest(channel=Channel.SMS), documents=FakeDocuments(title))
    assert text.body == f"Kinh de nghi UBND huyen Tho Xuan {sms} Han cuoi: het ngay 09/12/2026."
    assert (text.subject, text.html, text.segments) == (None, None, 1)


def test_an_accented_sms_is_an_option_and_takes_more_parts() -> None:
    """The same words with their accents are sent in UCS-2."""
    text = render_text(a_digest(channel=Channel.SMS), options=RenderOptions(letters=SmsLetters.ACCENTED))
    assert text.body.startswith("Kính đề nghị UBND huyện Thọ Xuân")
    assert (text.segments or 0) > 1


def test_an_sms_never_exceeds_three_parts() -> None:
    """However much is missing, the text is cut before an operator would cut it."""
    missing = tuple(f"sections.{'phan-rat-dai-' * 5}{number}" for number in range(20))
    text = render_text(a_digest(an_alert(StepKind.INCOMPLETE, missing=missing), channel=Channel.SMS))
    assert text.segments == 3
    assert text.body.endswith("...")


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", "Kinh de nghi UBND huyen Tho Xuan quan tam 2 bao cao"), ("en", "kindly requested to 2 reports")],
)
def test_an_sms_about_several_duties_counts_them(language: Language, words: str) -> None:
    """It names the nearest deadline if any duty has one; the rest is in the mail."""
    dated = a_digest(an_alert(), an_alert(period="2025", due_at=DUE - timedelta(days=365)), channel=Channel.SMS)
    undated = a_digest(an_alert(**UNDATED), an_alert(period="2025", **UNDATED), channel=Channel.SMS)
    assert absent_parts(render_text(dated, language=language).body, words, "09/12/2025") == []
    assert "09/12" not in render_text(undated, language=language).body
