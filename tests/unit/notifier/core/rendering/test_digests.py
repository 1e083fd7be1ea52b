"""Several duties of one agency in one letter, and copies to agencies that co-operate."""

import pytest

from schemas.events.assessments import StepKind
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from tests.support.builders import plans
from tests.unit.notifier.digest_builders import AGENCY, FakeDocuments, a_digest, absent_parts, an_alert, render_text
from tests.unit.notifier.schedule_builders import days

TITLE = {"vi": "Báo cáo tổng hợp", "en": "Compiled report"}


class LevelledDocuments(FakeDocuments):
    """A plan without listed documents, whose report goes to the agency above; who that is changed on 9 December."""

    def __init__(self) -> None:
        super().__init__()
        obligation = plans.an_obligation(title=TITLE, recipient="parent")
        self._own_plan = plans.a_plan(obligation, title={"vi": "Kế hoạch hai cấp"}, sources=[])
        parents = [{"id": "h-cu", "to": "2026-12-09"}, {"id": "h-moi", "from": "2026-12-09"}]
        self._own_registry = plans.a_registry(
            plans.an_agency(AGENCY, names=[{"vi": "UBND xã Một", "en": "Mot Commune"}], parent=parents),
            plans.an_agency("h-cu", names=[{"vi": "UBND huyện Cũ"}]),
            plans.an_agency("h-moi", names=[{"vi": "UBND huyện Mới"}]),
            plans.an_agency("so-khdt", names=[{"vi": "Sở Kế hoạch và Đầu tư", "en": "Planning Department"}]),
        )

    def plan(self, plan_id: str, version: int) -> Plan:
        del plan_id, version
        return self._own_plan

    def registry(self, registry_id: str, version: int) -> Registry:
        del registry_id, version
        return self._own_registry


def test_a_digest_lists_what_is_past_due_first_and_says_what_is_asked() -> None:
    """Each report has its number, what is asked, its deadline, and how often it was urged; the common basis once."""
    alerts = (
        an_alert(period="2026-Q2"),
        an_alert(StepKind.INCOMPLETE, period="2026-H1", missing=("signed",)),
        an_alert(StepKind.URGING, period="2026-06", due_at=days(-8)),
    )
    mail = render_text(a_digest(*alerts))
    assert mail.subject == "Hạn tiếp theo 09/12/2026 – 3 báo cáo cần gửi, 1 quá hạn"
    expected = (
        "gửi, bổ sung 03 báo cáo nêu dưới đây theo thời hạn của từng báo cáo (01 báo cáo đã quá hạn).",
        "1. Báo cáo “Kết quả thực hiện Kế hoạch tháng 6 năm 2026” – cần gửi",
        "   Thời hạn gửi: hết ngày 01/12/2026 (quá hạn 02 ngày, đôn đốc lần 1)",
        "– cần bổ sung\n   Cần bổ sung:\n     - chữ ký của người có thẩm quyền",
        "   Thời hạn gửi: hết ngày 09/12/2026, thứ Tư (còn 06 ngày)",
    )
    assert absent_parts(mail.body, *expected) == []
    assert mail.body.count("Căn cứ:") == 1


@pytest.mark.parametrize(
    ("dues", "subject"),
    [
        ((days(0), days(2)), "Hạn gần nhất 09/12/2026 – 2 báo cáo cần gửi"),
        ((days(-8), days(-9)), "2 báo cáo cần gửi, hạn đã qua: 30/11/2026 và 01/12/2026"),
    ],
    ids=["all to come", "all past"],
)
def test_the_subject_of_a_digest_has_the_next_deadline(dues: tuple[object, object], subject: str) -> None:
    """Where all have passed the days that passed stand in it."""
    alerts = [an_alert(period=period, due_at=due) for period, due in zip(("2026-H1", "2026-Q2"), dues, strict=True)]
    assert render_text(a_digest(*alerts)).subject == subject


def test_the_letter_speaks_for_whoever_is_above_on_the_last_good_day() -> None:
    """The report is due by 9 December, so the letter of 3 December names the office of 9 December already."""
    body = render_text(a_digest(an_alert()), documents=LevelledDocuments()).body
    assert "UBND huyện Mới kính đề nghị Quý cơ quan gửi" in body
    assert "huyện Cũ" not in body


def test_no_id_of_ours_stands_for_the_number_of_a_document() -> None:
    """A plan that lists no document is cited by its title."""
    digest = a_digest(an_alert(), an_alert(StepKind.URGING, at=days(-6)))
    found = render_text(digest, documents=LevelledDocuments())
    assert "Căn cứ: mục III.1 Kế hoạch hai cấp ngày 05/5/2016" in found.body
    assert plans.PLAN not in f"{found.subject}{found.body}"


@pytest.mark.parametrize("kind", [StepKind.REMINDER, StepKind.URGING])
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("vi", "kính đề nghị Sở Kế hoạch và Đầu tư phối hợp với UBND xã Một (cơ quan chủ trì)"),
        ("en", "requests Planning Department to co-operate with Mot Commune, which leads"),
    ],
)
def test_a_copy_asks_for_co_operation(kind: StepKind, language: str, words: str) -> None:
    """Who co-operates is not asked to send the report, gets no link, and learns who leads."""
    digest = a_digest(an_alert(kind, to="so-khdt"), to="so-khdt")
    found = render_text(digest, documents=LevelledDocuments(), language=language)  # type: ignore[arg-type] # one of two
    assert words in found.body
    assert "https://" not in found.body


def test_a_missing_part_is_named_by_its_agency() -> None:
    """The letter lists whose reports the compiled one lacks, by name."""
    alert = an_alert(StepKind.INCOMPLETE, missing=("parts.h-cu", "parts.khong-ro"))
    body = render_text(a_digest(alert), documents=LevelledDocuments()).body
    assert "- báo cáo của UBND huyện Cũ" in body
    assert "- báo cáo của khong-ro" in body


def test_reports_to_different_agencies_say_where_each_goes() -> None:
    """In a digest of reports to one agency this would be noise."""
    before = an_alert(period="2025")
    documents = LevelledDocuments()
    assert "Nơi nhận: UBND huyện Cũ" in render_text(a_digest(an_alert(), before), documents=documents).body
    assert "Nơi nhận" not in render_text(a_digest(an_alert(), an_alert()), documents=documents).body
