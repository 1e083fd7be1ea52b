"""An SMS is short, unaccented unless asked otherwise, and bounded in parts."""

from datetime import timedelta

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.rendering.render import Means, SmsLetters
from services.notifier.core.scheduling.routing import Language
from tests.support.builders.plans import Json
from tests.unit.notifier.agendas import DUE
from tests.unit.notifier.words import Shelf, a_notice, a_telling, all_in, written

UNDATED: Json = {"due_at": None, "step": "incomplete:s-1"}


@pytest.mark.parametrize(
    ("title", "sms"),
    [
        ("Kết quả năm", 'gui bao cao "Ket qua nam nam 2026" (muc III.1, 6766/KH-UBND).'),
        (
            "Gửi kết quả thực hiện Kế hoạch về Ngân hàng Chính sách xã hội",
            "gui bao cao nam 2026 theo muc III.1, 6766/KH-UBND.",
        ),
    ],
    ids=["fuller", "terser"],
)
def test_a_usual_sms_is_one_part_without_marks(title: str, sms: str) -> None:
    """The fuller wording where it fits, the terser where it does not."""
    text = written(a_notice(channel=Channel.SMS), shelf=Shelf(title))
    assert text.body == f"Kinh de nghi UBND huyen Tho Xuan {sms} Han cuoi: het ngay 09/12/2026."
    assert (text.subject, text.html, text.segments) == (None, None, 1)


def test_an_accented_sms_is_an_option_and_costs_more() -> None:
    """The same words with their marks, in UCS-2."""
    text = written(a_notice(channel=Channel.SMS), means=Means(letters=SmsLetters.ACCENTED))
    assert text.body.startswith("Kính đề nghị UBND huyện Thọ Xuân")
    assert (text.segments or 0) > 1


def test_an_sms_never_exceeds_three_parts() -> None:
    """However much is missing, it is cut before operators would."""
    missing = tuple(f"sections.{'phan-rat-dai-' * 5}{number}" for number in range(20))
    text = written(a_notice(a_telling(StepKind.INCOMPLETE, missing=missing), channel=Channel.SMS))
    assert text.segments == 3
    assert text.body.endswith("...")


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", "Kinh de nghi UBND huyen Tho Xuan quan tam 2 bao cao"), ("en", "kindly requested to 2 reports")],
)
def test_an_sms_about_several_duties_counts_them(language: Language, words: str) -> None:
    """With the nearest deadline, if any has one; the rest is in the mail."""
    dated = a_notice(a_telling(), a_telling(period="2025", due_at=DUE - timedelta(days=365)), channel=Channel.SMS)
    undated = a_notice(a_telling(**UNDATED), a_telling(period="2025", **UNDATED), channel=Channel.SMS)
    assert all_in(written(dated, language=language).body, words, "09/12/2025") == []
    assert "09/12" not in written(undated, language=language).body
