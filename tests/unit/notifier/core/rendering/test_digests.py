"""Several duties of one agency in one letter, and copies to agencies that co-operate."""

from datetime import date
from typing import Any

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.wire import WireNotice
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.notifier.core.scheduling.letter_history import DutyHistory, LetterHistory, SentAlert
from services.notifier.core.scheduling.routing import Language
from services.notifier.core.scheduling.scheduled_alert import DutyAlert
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


EXEMPT = WireNotice(decision="15/QĐ-UBND", decided_on=date(2026, 11, 2), exempt_from=days(-30), exempt_until=days(30))
PASSED = WireNotice(heirs=(AGENCY,))


class MergedDocuments(LevelledDocuments):
    """Commune Cũ has become part of Một on 1 December; the district above it has ended, too."""

    def __init__(self) -> None:
        super().__init__()
        self._own_registry = plans.a_registry(
            plans.an_agency("x-cu", names=[{"vi": "UBND xã Cũ"}], valid={"to": "2026-12-01"}, parent="h-cu"),
            plans.an_agency("h-cu", names=[{"vi": "UBND huyện Cũ"}], valid={"to": "2026-12-01"}),
            plans.an_agency(AGENCY, names=[{"vi": "UBND xã Một"}], parent="ubnd-tinh"),
            plans.an_agency("ubnd-tinh", names=[{"vi": "UBND tỉnh"}]),
            successions=[
                {"type": "merge_into", "from": ["x-cu"], "to": [AGENCY], "on": "2026-12-01", "act": "Nghị quyết 1"}
            ],
        )


def test_a_report_of_which_nothing_is_asked_is_not_asked_for() -> None:
    """Exempted, received, passed to an heir: each is said as what it is, and not counted among those to send."""
    told = (an_alert(StepKind.EXEMPTION, period="2026-H1", notice=EXEMPT), an_alert(StepKind.RECEIVED, period="2025"))
    mail = render_text(a_digest(an_alert(), *told))
    assert mail.subject == "Hạn gần nhất 09/12/2026 – 1 báo cáo cần gửi"
    expected = (
        "gửi, bổ sung 01 báo cáo nêu dưới đây theo thời hạn của từng báo cáo; đồng thời trân trọng thông báo về 02",
        "6 tháng đầu năm 2026” – được miễn gửi\n   Văn bản: Quyết định số 15/QĐ-UBND ngày 02/11/2026",
        "năm 2025” – đã nhận đầy đủ",
    )
    assert absent_parts(mail.body, *expected) == []
    assert mail.body.count("Thời hạn gửi:") == 1


@pytest.mark.parametrize(
    ("language", "subject", "opening"),
    [
        ("vi", "Thông báo về 2 báo cáo", "không cần thực hiện thêm việc gì"),
        ("en", "About 2 reports", "nothing further is needed"),
    ],
)
def test_who_has_passed_its_reports_on_is_asked_for_none(language: Language, subject: str, opening: str) -> None:
    """An office that ends gets one letter about all its reports, in the name of who receives its heir's."""
    passed = [an_alert(StepKind.SUCCESSION, period=one, notice=PASSED, agency="x-cu") for one in ("2026-H1", "2026")]
    documents = MergedDocuments()
    mail = render_text(a_digest(*passed, to="x-cu"), documents=documents, language=language)
    assert mail.subject == subject
    assert opening in mail.body
    assert mail.body.rstrip().splitlines()[-4] == "UBND tỉnh"
    assert "cần gửi" not in mail.body
    message = render_text(a_digest(*passed, to="x-cu", channel=Channel.SMS), documents=documents, language=language)
    assert message.body.startswith("UBND tinh: ")
    assert "gui 2" not in message.body


def test_an_heir_of_the_same_name_is_told_apart() -> None:
    """The new ward is called like one of the old ones: who ends would otherwise read of itself."""
    documents = MergedDocuments()
    named = [{"vi": "UBND xã Một"}]
    old = plans.an_agency("x-cu", names=named, valid={"to": "2026-12-01"})
    documents._own_registry = plans.a_registry(old, plans.an_agency(AGENCY, names=named))
    mail = render_text(
        a_digest(an_alert(StepKind.SUCCESSION, notice=PASSED, agency="x-cu"), to="x-cu"), documents=documents
    )
    assert "Cơ quan gửi: UBND xã Một (mới)" in mail.body


def test_an_heir_is_asked_for_one_report_from_however_many_it_inherits() -> None:
    """Two reports from three offices are two, each with the names of all three; one alone has its own letter."""
    told = WireNotice(heirs=(AGENCY,))
    inherited = [
        an_alert(StepKind.SUCCESSION, period=period, agency=agency, to=AGENCY, notice=told)
        for agency in ("h-cu", "h-moi", "so-khdt")
        for period in ("2026-H1", "2026")
    ]
    mail = render_text(a_digest(*inherited), documents=LevelledDocuments())
    assert "gửi, bổ sung 02 báo cáo" in mail.body
    assert mail.body.count("Tiếp nhận từ: UBND huyện Cũ, UBND huyện Mới và Sở Kế hoạch và Đầu tư") == 2
    alone = render_text(a_digest(*inherited[::2]), documents=LevelledDocuments())
    assert "thay cho UBND huyện Cũ, UBND huyện Mới và Sở Kế hoạch và Đầu tư từ ngày" in alone.body
    assert alone.subject is not None
    assert "Tiếp nhận" in alone.subject


INHERITED = WireNotice(heirs=(AGENCY,))


def an_inherited_urging(**changes: Any) -> DutyAlert:
    """Return the urging of commune Cũ's report that goes to Một, which commune Cũ has become part of."""
    called = {"agency": "x-cu", "to": AGENCY, "notice": INHERITED, "at": days(3), "due_at": days(-20)}
    return an_alert(StepKind.URGING, **(called | changes))


def test_who_is_urged_for_an_office_that_has_ended_reads_whose_report_it_is() -> None:
    """The letter names the office and since when its reader stands in its place; it is no copy of a letter."""
    documents = MergedDocuments()
    mail = render_text(a_digest(an_inherited_urging()), documents=documents, now=days(3))
    expected = (
        "Kính gửi: UBND xã Một",
        "đề nghị Quý cơ quan gửi Báo cáo tổng hợp năm 2026 của UBND xã Cũ trong thời gian sớm nhất",
        "Tiếp nhận từ: UBND xã Cũ, từ ngày 01/12/2026, theo Nghị quyết 1",
    )
    assert absent_parts(mail.body, *expected) == []
    message = render_text(a_digest(an_inherited_urging(), channel=Channel.SMS), documents=documents, now=days(3))
    assert "Kinh de nghi UBND xa Mot som gui bao cao tong hop nam 2026 cua UBND xa Cu" in message.body


def test_reports_of_several_offices_that_have_ended_stay_several() -> None:
    """Each was overdue by itself; one report of the heir would not discharge them all."""
    urgings = [an_inherited_urging(agency=one) for one in ("x-cu", "h-cu")]
    mail = render_text(a_digest(*urgings), documents=MergedDocuments(), now=days(3))
    assert "gửi, bổ sung 02 báo cáo" in mail.body
    assert absent_parts(mail.body, "năm 2026 của UBND xã Cũ – cần gửi", "năm 2026 của UBND huyện Cũ – cần gửi") == []


def test_an_urging_to_who_stands_in_for_an_office_counts_those_before_it() -> None:
    """The office was urged twice, a co-operating agency got copies: this is the third urging."""
    sent = [
        SentAlert(
            kind=StepKind.URGING, step=step, to=to, due_at=days(-20), outcome=AttemptOutcome.ACCEPTED, at=days(-19)
        )
        for step, to in (("PT0S", "self"), ("P3D", "self"), ("P3D", "so-tc"))
    ]
    history = LetterHistory(duties={str(an_inherited_urging().duty): DutyHistory(sent=tuple(sent))}, counts={})
    mail = render_text(a_digest(an_inherited_urging()), documents=MergedDocuments(), now=days(3), history=history)
    assert "Đôn đốc lần 3" in str(mail.subject)


def test_reports_to_different_agencies_say_where_each_goes() -> None:
    """In a digest of reports to one agency this would be noise."""
    before = an_alert(period="2025")
    documents = LevelledDocuments()
    assert "Nơi nhận: UBND huyện Cũ" in render_text(a_digest(an_alert(), before), documents=documents).body
    assert "Nơi nhận" not in render_text(a_digest(an_alert(), an_alert()), documents=documents).body
