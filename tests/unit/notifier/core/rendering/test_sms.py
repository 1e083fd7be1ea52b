"""Text messages: they name the bank, say overdue when it is, and fit the parts that they are meant for."""

from typing import Any

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.rendering import sms_segments
from services.notifier.core.rendering.officers import Officer
from services.notifier.core.rendering.render import RenderOptions, SmsLetters
from tests.support.builders import plans
from tests.unit.notifier.core.rendering.test_letters import LETTERS
from tests.unit.notifier.digest_builders import FakeDocuments, a_digest, an_alert, render_text
from tests.unit.notifier.letters_of_6766 import write_sms
from tests.unit.notifier.schedule_builders import days

# The unmarked wordings of the reference texts, each with the agency's name where it fits.
SENT = {
    "first reminder": "Kinh de nghi UBND huyen Tho Xuan gui bao cao Ke hoach 6766 nam 2024, "
    "han gui: het ngay 09/12/2024",
    "reminder": "Kinh de nghi UBND huyen Tho Xuan gui bao cao Ke hoach 6766 nam 2024, con 6 ngay, "
    "han gui: het ngay 09/12/2024",
    "last day": "Hom nay 09/12/2024 la ngay cuoi gui bao cao Ke hoach 6766 nam 2024. "
    "Kinh de nghi UBND huyen Tho Xuan gui trong hom nay",
    "first urging": "Kinh de nghi UBND huyen Tho Xuan som gui bao cao Ke hoach 6766 nam 2024, chua nhan duoc, "
    "qua han gui 1 ngay (09/12/2024)",
    "incomplete": "Kinh de nghi So Tu phap bo sung bao cao Ke hoach 6766 nam 2024, con thieu 2 noi dung, "
    "han gui: het ngay 09/12/2024",
    "returned": "Kinh de nghi Quy co quan hoan thien bao cao Ke hoach 6766 nam 2024, gui ban moi cham nhat "
    "20/12/2024, ly do tai thu dien tu",
    "received": "Da nhan day du bao cao Ke hoach 6766 nam 2024 cua UBND huyen Tho Xuan (han 09/12/2024). "
    "Tran trong cam on Quy co quan",
    "exemption": "UBND huyen Tho Xuan duoc mien gui bao cao Ke hoach 6766 nam 2024 (han 09/12/2024) theo 568/QD-NHCS",
}
# Read as about a loan once the marks are gone.
OF_A_LOAN = ("tra lai", "gui lai", "no bao cao", "dao han", " KH ", "ke thua", "nhan du ", "vi vay")


def write_case(name: str, letters: SmsLetters = SmsLetters.UNACCENTED, **given: Any) -> str:
    """Write the text message of one of the letters."""
    alert, told, _, _ = LETTERS[name]
    return write_sms(alert, letters=letters, **{**told, **given}).body


@pytest.mark.parametrize(("name", "text"), SENT.items())
def test_the_unmarked_text_is_that_of_the_reference(name: str, text: str) -> None:
    """Bank first, one sentence that asks, then whom to call."""
    assert write_case(name) == f"NHCSXH Thanh Hoa: {text}. LH 02373000000"


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", LETTERS)
def test_every_text_is_one_unmarked_part_and_says_nothing_of_a_loan(name: str, language: Any) -> None:
    """It is GSM-7, has at most 160 letters, names the sender, and carries no link and no reason."""
    text = write_case(name, language=language)
    assert sms_segments.measure(text) == sms_segments.SmsLength(is_gsm7=True, parts=1)
    assert text.startswith(("NHCSXH Thanh Hoa", "VBSP Thanh Hoa"))
    assert [word for word in (*OF_A_LOAN, "https://", "1.000") if word in text] == []


@pytest.mark.parametrize(("letters", "parts"), [(SmsLetters.ACCENTED, 2), (SmsLetters.ACCENTED_SHORT, 1)])
@pytest.mark.parametrize("name", sorted(set(LETTERS) - {"urging of an incomplete report"}))
def test_marked_texts_fit_two_parts_or_one(name: str, letters: SmsLetters, parts: int) -> None:
    """The fullest wording that fits is taken; a part of UCS-2 holds 70 letters, two hold 134."""
    assert sms_segments.measure(write_case(name, letters)).parts <= parts


@pytest.mark.parametrize("letters", SmsLetters)
def test_an_urging_says_overdue_in_every_wording(letters: SmsLetters) -> None:
    """Also the shortest form tells that the deadline has passed, and by how many days."""
    text = sms_segments.strip_accents(write_case("third urging", letters))
    assert "qua han gui 8 ngay" in text


@pytest.mark.parametrize("letters", SmsLetters)
def test_a_digest_says_how_many_are_overdue(letters: SmsLetters) -> None:
    """The bank's name, the count, how many are past due and the next deadline to come."""
    late = an_alert(StepKind.URGING, period="2026-06", due_at=days(-8))
    digest = a_digest(late, an_alert(period="2026-Q2"), channel=Channel.SMS)
    text = sms_segments.strip_accents(render_text(digest, options=RenderOptions(letters=letters)).body)
    assert "2 bao cao" in text
    assert "1 bao cao da qua han gui" in text or "1 da qua han gui" in text
    assert text.startswith("Chi nhanh NHCSXH tinh Thanh Hoa: ")


def test_a_digest_of_few_lists_them_with_their_days() -> None:
    """Up to three reports that are not yet due stand each with its deadline."""
    two = (an_alert(period="2026-06", due_at=days(-2)), an_alert(period="2026-Q2"))
    documents = FakeDocuments("x", report_title="Báo cáo", report_short="Báo cáo")
    text = render_text(a_digest(*two, channel=Channel.SMS), documents=documents).body
    assert "gui 2 bao cao: bao cao thang 6 nam 2026 (han 07/12), bao cao quy II nam 2026 (han 09/12/2026)" in text


@pytest.mark.parametrize("letters", SmsLetters)
@pytest.mark.parametrize("kind", StepKind)
def test_no_name_makes_a_text_longer_than_providers_take(kind: StepKind, letters: SmsLetters) -> None:
    """However long plan and agency are called, three parts are the most."""
    digest = a_digest(an_alert(kind, missing=("sections.x",) * 30), channel=Channel.SMS)
    documents = FakeDocuments("Kết quả " * 300)
    officers = {plans.PLAN: Officer(name="x", phone="0237 3851 234")}
    text = render_text(digest, documents=documents, options=RenderOptions(letters=letters, officers=officers))
    assert (text.segments or 0) <= 3


def test_an_sms_carries_no_link() -> None:
    """A link would take two further parts."""
    assert "://" not in render_text(a_digest(channel=Channel.SMS)).body
