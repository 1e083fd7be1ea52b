"""The pages of evidence, drawn from records in memory: what they say, where they lead, what hostile text does."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from schemas.events.assessments import Status, StepKind
from schemas.events.deliveries import AttemptOutcome
from schemas.events.ids import DutyKey
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core.access.readers import EVERYTHING, ReaderScope
from services.reporting.core.evidence.duty_facts import ReportDetails
from services.reporting.core.timeline import StatusSpan
from services.reporting.dashboard import templating
from services.reporting.dashboard.evidence import evidence_pages
from services.reporting.dashboard.evidence.changes_page import ChangesPage
from services.reporting.dashboard.evidence.duty_view import CourseKind, DutyView
from services.reporting.dashboard.evidence.status_page import StatusPage
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.evidence.change_queries import ChangeQueries
from services.reporting.evidence.freshness import Freshness
from services.reporting.metrics import TOPICS_CONSUMED, ReportingMetrics
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka.consumer_lag import UNKNOWN_LAG, UP_TO_DATE, PartitionLag
from tests.support.builders import plans
from tests.support.builders.annual_report import an_attempt
from tests.support.builders.annual_report_events import a_delivery_event
from tests.support.builders.duty_evidence import SOURCE, a_report_fact, some_evidence
from tests.support.builders.partition_log import NOON, PartitionLog
from tests.support.clients.reporting_archive import InMemoryArchive, PublishedInMemory
from tests.support.pages.in_memory import NOW, StandingClock, open_site

HOSTILE = "<script>alert(1)</script>\u202e"
KEY = DutyKey(plan=plans.PLAN, agency="h-mot", obligation=plans.OBLIGATION, period="2024")
DUTY = f"/duties/{plans.PLAN}/h-mot/{plans.OBLIGATION}/2024"
PAGES = (
    DUTY,
    f"/duties/{plans.PLAN}/h-hai/{plans.OBLIGATION}/2024",
    "/agencies/h-mot",
    "/agencies/h-hai",
    "/events/s-2",
    "/events/reminder",
    f"/plans/{plans.PLAN}",
    f"/registries/{plans.REGISTRY}",
    "/changes?since=2024-11-01T08:00",
    "/status",
)


def fill_archive() -> tuple[InMemoryArchive, list[Plan | Registry]]:
    """Return a plan in two versions with a correction of a report, a reminder, and hostile names and texts."""
    registry = plans.a_registry(plans.an_agency("h-mot", names=[{"vi": f"UBND {HOSTILE}"}]), plans.an_agency("h-hai"))
    version = plans.a_version(requires={"indicators": ["loans"], "sections": ["results"]})
    indicators = [{"code": "loans", "unit": "million_vnd", "title": {"vi": f"Dư nợ {HOSTILE}"}}]
    plan = plans.a_plan(plans.an_obligation(version), indicators=indicators)
    later = plan.model_copy(update={"version": 2, "issued_on": plan.issued_on + timedelta(days=1)})
    log, archive = PartitionLog(registry, plan), InMemoryArchive()
    for verdict in log.adopt_raw():
        archive.store_verdict(verdict)
    for number, fact in enumerate([a_report("s-1", loans="0.10"), a_report("s-2", loans=7, corrects="s-1")]):
        recorded = fact | {"receivedtime": (NOON + timedelta(hours=number)).isoformat(), "receiptid": f"{number:032x}"}
        for verdict in log.append_raw(recorded):
            archive.store_verdict(verdict)
        record = json.dumps(recorded, ensure_ascii=False).encode()
        archive.store_fact(record, recorded_at=NOON + timedelta(hours=number))
    reminder = an_attempt(KEY, at=NOON, event="reminder", kind=StepKind.REMINDER, step="P7D")
    archive.store_attempt(msgspec.json.encode(a_delivery_event(reminder)))
    return archive, [registry, plan, later]


def a_report(event: str, *, loans: object, corrects: str | None = None) -> dict[str, Any]:
    """Build a report with a hostile text; the first one is not complete."""
    sections = {"results": HOSTILE} if corrects else {}
    content = {"nil_return": False, "figures_as_of": None, "sections": sections, "indicators": {"loans": loans}}
    return plans.a_submission(event, data={"content": content, "corrects": corrects})


def a_site(scope: ReaderScope = EVERYTHING, lag: PartitionLag = UP_TO_DATE) -> httpx.AsyncClient:
    """Return a browser on the pages as a reader of *scope* sees them."""
    archive, published = fill_archive()
    documents, queries = PublishedInMemory(*published), archive.ask(*published)
    clock, registry = StandingClock(), CollectorRegistry()
    ReportingMetrics(registry)
    freshness = Freshness(TOPICS_CONSUMED, clock)
    freshness.note_lag({TopicPartition(topic.name, 0): lag for topic in TOPICS_CONSUMED})
    renderer = PageRenderer(queries, templating.build_environment(), clock=clock, freshness=freshness)
    changes = ChangeQueries(queries, ResultsQueries(queries, archive))
    checks = {"kafka": is_good, "mongo": is_waiting}
    routes = [
        *evidence_pages.build_routes(queries, archive, documents, renderer=renderer, clock=clock),
        *ChangesPage(queries, changes, renderer, clock=clock).routes(),
        *StatusPage(renderer, freshness, checks, registry=registry, clock=clock).routes(),
    ]
    return open_site(routes, renderer, scope)


async def is_good() -> bool:
    """Say that a part works."""
    return True


async def is_waiting() -> bool:
    """Say that a part waits."""
    raise NotReadyError("the database")


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_every_page_is_drawn_and_hostile_text_stays_text(language: str) -> None:
    """In both languages; now, and of a past moment, about which every page says so first."""
    async with a_site() as browser:
        for path in PAGES:
            page = await browser.get(path, params={"lang": language} | dict(httpx.QueryParams(httpx.URL(path).query)))
            assert page.status_code == 200, path
            assert "<script>" not in page.text, path
            assert "\u202e" not in page.text, path
            assert 'class="banner"' not in page.text, path
            past = await browser.get(path.partition("?")[0], params={"as_of": "2024-12-10T08:00", "lang": language})
            assert past.status_code == 200, path
            assert 'class="banner"' in past.text, path


async def test_the_sentence_leads_to_its_events_and_every_figure_to_its_report() -> None:
    """Each half-sentence that rests on an event links to it, as does each figure of the report that stands."""
    async with a_site() as browser:
        page = (await browser.get(DUTY)).text
        receipt = f"/events/{1:032x}"
        assert f'href="{receipt}?' in page
        assert "báo cáo số s-2/BC-UBND đủ nội dung, nhận lúc 13:00 ngày 01/12/2024" in page
        assert "còn thiếu mục" in page
        assert "Bản 2 so với bản 1" in page
        assert f'href="{DUTY}/review?lang=vi"' in page
        event = await browser.get(receipt)
        assert event.status_code == 200
        assert f'href="{DUTY}?' in event.text
        assert "0.10" in (await browser.get("/events/s-1")).text
        assert "\\u202e" in event.text


@pytest.mark.parametrize("figure", ["1E+100000", "NaN", "sNaN", "-0", "9" * 300, "x", "1" + "0" * 29])
def test_no_figure_keeps_a_page_from_being_drawn(figure: str) -> None:
    """Whatever stands where a number should: it is shown as it came, and compared where it is a number."""
    span = StatusSpan(from_at=NOON, status=Status.ON_TIME, evidence=("s-1",), standing=(SOURCE, "s-1"))
    reports = [a_report_fact("s-1", at=NOON, figures={"entrusted_local_budget": figure, "other": figure})]
    view = DutyView(some_evidence([span], reports, as_of=NOW), ReportDetails(figures={"entrusted_local_budget": "2"}))
    rows = view.figure_rows
    assert [row.title for row in rows] == ["Vốn ngân sách địa phương ủy thác", "other"]
    assert all(row.value for row in rows)


def test_a_confirmation_is_no_second_attempt() -> None:
    """What was sent twice and has arrived was sent twice; a list of contacts is called by whose it is."""
    span = StatusSpan(from_at=NOON, status=Status.OVERDUE)
    attempts = [
        an_attempt(
            alert="a",
            at=NOON,
            event=outcome.value,
            outcome=outcome,
            kind=StepKind.ESCALATION,
            to_agency="chairman-list",
        )
        for outcome in (AttemptOutcome.TEMPORARY_FAILURE, AttemptOutcome.ACCEPTED, AttemptOutcome.CONFIRMED)
    ]
    evidence = some_evidence([span], attempts=attempts, as_of=NOW)
    report = evidence.context.plan.report.model_copy(update={"addressee": "Chủ tịch Ủy ban nhân dân tỉnh"})
    plan = evidence.context.plan.model_copy(update={"report": report})
    view = DutyView(replace(evidence, context=replace(evidence.context, plan=plan)), None)
    (alert,) = [one for one in view.course if one.kind is CourseKind.TOLD_OTHERS]
    assert alert.note == "email: đã đến hộp thư hoặc máy của đơn vị, sau 2 lần gửi"
    assert alert.text == "Báo cho Chủ tịch Ủy ban nhân dân tỉnh về việc quá hạn"


async def test_an_agency_sees_what_it_owes_what_came_and_what_it_was_told() -> None:
    """On the page to which the link in its mail leads; of the registry it sees itself alone."""
    async with a_site(ReaderScope(agencies=frozenset({"h-mot"}))) as browser:
        page = (await browser.get("/agencies/h-mot")).text
        for words in ("Nhận báo cáo số s-2/BC-UBND", "Nhắc trước hạn 7 ngày", "Đơn vị của tôi", "Chưa trả lời."):
            assert words in page
        assert "/review" not in (await browser.get(DUTY)).text
        registry = (await browser.get(f"/registries/{plans.REGISTRY}")).text
        assert "h-mot" in registry
        assert "h-hai" not in registry


async def test_a_local_time_is_that_of_the_zone_beside_it() -> None:
    """The form without a script sends local times; links pass on the instant with its offset."""
    async with a_site() as browser:
        local = {"as_of": "2024-12-01T12:30", "zone": "Asia/Ho_Chi_Minh", "known_at": ""}
        page = (await browser.get(DUTY, params=local)).text
        assert "as_of=2024-12-01T12%3A30%3A00%2B07%3A00" in page
        assert "Chưa đầy đủ" in page
        london = (await browser.get(DUTY, params=local | {"zone": "Europe/London"})).text
        assert "as_of=2024-12-01T12%3A30%3A00%2B00%3A00" in london
        unknown = (await browser.get(DUTY, params=local | {"zone": "Nowhere/At_All"})).text
        assert "as_of=2024-12-01T12%3A30%3A00%2B07%3A00" in unknown
        for wrong in ("soon", "9999-12-31T23:59", "2024-13-01T00:00"):
            assert (await browser.get(DUTY, params={"as_of": wrong})).status_code == 400, wrong


async def test_what_changed_between_two_moments_is_told_with_its_reason() -> None:
    """The statuses that turned, and the figures; what was not known before has no status before."""
    async with a_site() as browser:
        asked = {"since": "2024-12-01T12:30", "period": "2024"}
        page = (await browser.get("/changes", params=asked)).text
        assert "2 nghĩa vụ đổi tình trạng" in page
        assert "đủ nội dung lúc 13:00 ngày 01/12/2024" in page
        assert "hạn là hết ngày 09/12/2024, chưa có báo cáo nào" in page
        assert "0,1" in page


async def test_the_versions_of_a_document_are_told_apart() -> None:
    """Each version says what it changed against the one before."""
    async with a_site() as browser:
        page = (await browser.get(f"/plans/{plans.PLAN}")).text
        assert "issued_on" in page
        assert "gửi kết quả trước ngày 10 tháng 12 hàng năm" in page
        earlier = await browser.get(f"/plans/{plans.PLAN}", params={"version": 1})
        assert "<strong>1</strong>" in earlier.text
        assert (await browser.get(f"/plans/{plans.PLAN}", params={"version": 3})).status_code == 404


@pytest.mark.parametrize(
    ("lag", "words"),
    [
        (UP_TO_DATE, "Số liệu đầy đủ đến 09:00."),
        (PartitionLag(records=3, oldest_unread_seconds=600), "Số liệu đầy đủ đến 08:50."),
        (UNKNOWN_LAG, "Chưa biết số liệu đầy đủ đến lúc nào"),
    ],
)
async def test_the_service_says_until_when_its_figures_are_complete(lag: PartitionLag, words: str) -> None:
    """In words, with what waits for what."""
    async with a_site(lag=lag) as browser:
        page = (await browser.get("/status")).text
        assert words in page
        assert "chưa sẵn sàng: the database" in page


def test_figures_stay_as_old_as_the_last_measurement_while_nothing_is_measured() -> None:
    """A broker that is away makes nothing newer, and hides nothing of what was known."""
    freshness = Freshness(TOPICS_CONSUMED, StandingClock())
    places = [TopicPartition(topic.name, 0) for topic in TOPICS_CONSUMED]
    freshness.note_lag(dict.fromkeys(places, UP_TO_DATE))
    freshness.note_lag(dict.fromkeys(places, UNKNOWN_LAG))
    assert freshness.complete_until == NOW
    assert freshness.lag_of(TOPICS_CONSUMED[0]) == UNKNOWN_LAG
