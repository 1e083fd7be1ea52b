"""Letters between levels: to co-operating agencies, about reports to the agency above, about parts that are missing."""

import pytest

from schemas.events.assessments import StepKind
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from tests.support.builders import plans
from tests.unit.notifier.digest_builders import AGENCY, FakeDocuments, a_digest, an_alert, render_text
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


def test_the_letter_speaks_for_whoever_is_above_on_the_last_good_day() -> None:
    """The report is due by 9 December, so the letter of 3 December names the office of 9 December already."""
    body = render_text(a_digest(an_alert()), documents=LevelledDocuments()).body
    assert "UBND huyện Mới trân trọng kính đề nghị UBND xã Một quan tâm" in body
    assert "huyện Cũ" not in body


def test_no_id_of_ours_stands_for_the_number_of_a_document() -> None:
    """A plan that lists no document is cited by its title, in letter, subject and SMS."""
    digest = a_digest(an_alert(), an_alert(StepKind.URGING, at=days(-6)))
    found = render_text(digest, documents=LevelledDocuments())
    assert "Căn cứ: mục III.1, Kế hoạch hai cấp ngày 05/05/2016" in found.body
    assert found.subject == "Kính đề nghị quan tâm 2 báo cáo theo Kế hoạch hai cấp"
    assert plans.PLAN not in f"{found.subject}{found.body}"


@pytest.mark.parametrize(
    "kind, language, subject, words",
    [
        (
            StepKind.REMINDER,
            "vi",
            "Nhắc hạn (để phối hợp): ",
            "đề nghị Sở Kế hoạch và Đầu tư phối hợp với UBND",
        ),
        (StepKind.URGING, "vi", "Đôn đốc (để phối hợp): ", "đề nghị Sở Kế hoạch và Đầu tư phối hợp với UBND"),
        (
            StepKind.REMINDER,
            "en",
            "Reminder (for co-operation): ",
            "Planning Department to co-operate with Mot",
        ),
        (StepKind.URGING, "en", "Kind request (for co-operation): ", "requests Planning Department to co-operate with"),
    ],
)
def test_a_copy_asks_for_co_operation(kind: StepKind, language: str, subject: str, words: str) -> None:
    """Who co-operates is not asked to send the report, and learns who leads."""
    digest = a_digest(an_alert(kind, to="so-khdt"), to="so-khdt")
    found = render_text(digest, documents=LevelledDocuments(), language=language)  # type: ignore[arg-type] # one of two
    assert (found.subject or "").startswith(subject)
    assert words in found.body


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
    assert "Nơi nhận báo cáo: UBND huyện Cũ" in render_text(a_digest(an_alert(), before), documents=documents).body
    assert "Nơi nhận báo cáo" not in render_text(a_digest(an_alert(), an_alert()), documents=documents).body
