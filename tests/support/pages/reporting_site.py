"""A running reporting whose pages have everything on them: every status, returns, alerts, a seal, and hostile text."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from aiokafka import AIOKafkaProducer

from schemas.events.ids import DutyKey
from schemas.events.topics import DELIVERIES, FACTS, REPORTS, VERDICTS
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.runtime import clock
from services.runtime.kafka.published_documents import PLAN, REGISTRY, publish_document
from tests.support.builders import plans
from tests.support.builders.annual_report import an_attempt
from tests.support.builders.annual_report_events import a_delivery_event
from tests.support.builders.plans import Json
from tests.support.clients.readers import ReadersFile
from tests.support.pages.page_list import SiteKeys
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

NOW = datetime.fromisoformat("2024-12-12T09:00:00+07:00")
DUE = datetime.fromisoformat("2024-12-10T00:00:00+07:00")
PERIOD = "2024"
DISTRICTS = tuple(f"h-{number}" for number in range(1, 8))
COMMUNES = ("x-1", "x-2", "x-3")
# What `dondoc check` refuses in a plan, and what an event may hold: it reverses, hides, ends, runs, or has no end.
HOSTILE = '<script>alert(1)</script>\u202eGNÀOH\u202c \x00\x07\u200b=HYPERLINK("http://x") {{ 7*7 }} #let x = 1'
ENDLESS = "ộ" * 3_000
NAMES = {"h-6": HOSTILE, "h-7": f"UBND huyện {ENDLESS}"}
INDICATORS: list[Json] = [
    {"code": "lent", "unit": "million_vnd", "kind": "flow", "target": {PERIOD: 9000},
     "title": {"vi": "Vốn ủy thác bổ sung trong năm", "en": "Entrusted in the year"}},
    {"code": "loans", "unit": "million_vnd", "title": {"vi": "Tổng dư nợ", "en": "Outstanding loans"}},
    {"code": "overdue", "unit": "million_vnd", "title": {"vi": f"Nợ quá hạn {HOSTILE}", "en": "Overdue debt"}},
    {"code": "ratio", "unit": "percent", "kind": "ratio", "formula": "overdue * 100 / loans",
     "title": {"vi": "Tỷ lệ nợ quá hạn", "en": "Overdue ratio"}},
]  # fmt: skip
GRADING = (
    {"grade": "A", "title": {"vi": "Tốt", "en": "Good"}, "when": "status == 'on_time'"},
    {"grade": "D", "title": {"vi": "Kém", "en": "Poor"}, "when": "true"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingSite:
    """The running service, who may do everything in it, and what its pages are about."""

    service: Service
    readers: ReadersFile
    officer: str
    keys: SiteKeys

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an officer who reads, reviews and seals everything."""
        return {"authorization": f"Bearer {self.officer}"}

    def client(self) -> httpx.Client:
        """Return a client of the officer."""
        return httpx.Client(base_url=self.service.url, headers=self.headers, timeout=60)


async def start_site(launch: Launch, bus: Bus, database: Database, readers: ReadersFile, folder: Path) -> ReportingSite:
    """Start rules and reporting, and wait until the pages have everything on them."""
    plan, registry = build_documents()
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        await publish_document(producer, REGISTRY, registry)
        await publish_document(producer, PLAN, plan)
    officer = readers.create("all", name="officer", permits=("reviews", "seals"))
    steered = folder / "clock"
    clock.steer(steered, NOW)
    launch("rules", DONDOC_CLOCK=f"steered:{steered}")
    service = launch(
        "reporting",
        DONDOC_CLOCK=f"steered:{steered}",
        DONDOC_MONGO_URL=database.url,
        DONDOC_REPORTING_MONGO_DATABASE=database.name,
    )
    *earlier, last = list_facts()
    await _publish(bus, earlier)
    for attempt in _list_alerts():
        await bus.publish(DELIVERIES.name, attempt, key="h-1")
    await _wait(bus)
    check_code = _evaluate_and_seal(service, officer)
    await _publish(bus, [last])
    await _wait(bus)
    keys = SiteKeys(
        plan=plans.PLAN,
        period=PERIOD,
        obligation="districts",
        agency="h-1",
        registry=plans.REGISTRY,
        check_code=check_code,
        since=(NOW - timedelta(days=5)).isoformat(),
        compiling_agency="h-1",
        link_token=readers.sign_link("officer", "http://x").partition("t=")[2].partition("&")[0],
    )
    return ReportingSite(service=service, readers=readers, officer=officer, keys=keys)


def build_documents() -> tuple[Plan, Registry]:
    """Build a plan of two levels that asks for figures and texts, and its registry."""
    asks = plans.a_version(
        requires={"indicators": ["loans"], "sections": [{"id": "results", "title": {"vi": "Kết quả"}}]},
        accepts={"indicators": ["lent", "overdue"], "sections": [{"id": "proposals", "title": {"vi": "Kiến nghị"}}]},
    )
    plan = plans.a_plan(
        plans.an_obligation(asks, id="districts", compiles={"obligation": "communes", "of": "children"}),
        plans.an_obligation(asks, id="communes", addressees=["xa"], title={"vi": f"Báo cáo của xã {HOSTILE}"}),
        plans.an_obligation({"from": plans.SINCE, "recurrence": "once"}, id="programme", title={"vi": "Chương trình"}),
        indicators=INDICATORS,
        grading=GRADING,
        title={"vi": f"Kế hoạch {HOSTILE}", "en": "Plan"},
    )
    below = {"groups": [{"id": "xa", "from": plans.SINCE}], "parent": "h-1"}
    agencies = [plans.an_agency(one, names=[{"vi": NAMES.get(one, f"UBND huyện {one}")}]) for one in DISTRICTS]
    agencies += [plans.an_agency(one, names=[{"vi": f"UBND xã {one}"}], **below) for one in COMMUNES]
    groups = [{"id": plans.GROUP, "name": {"vi": "Các huyện"}}, {"id": "xa", "name": {"vi": "Các xã"}}]
    merger = {"type": "merge_into", "from": ["h-5"], "to": ["h-1"], "on": "2025-01-01", "act": HOSTILE}
    registry = plans.a_registry(*agencies, groups=groups, successions=[merger])
    return plan, registry


def list_facts() -> list[Json]:
    """Build what happened, in order, the last of it after the report was sealed."""
    return [
        *(_a_report(one, days=-6, obligation="communes", loans="0.1") for one in COMMUNES[:2]),
        _a_report("h-1", days=-5, loans="0.3", parts=list(COMMUNES[:2])),
        _answer(plans.a_return("r-1", "h-1-1"), days=-4),
        _a_report("h-1", number=2, days=-3, loans="100.25", corrects="h-1-1"),
        _answer(plans.an_acceptance("a-1", "h-1-2"), days=-2),
        _a_report("h-2", days=1, loans="2000"),
        _a_report("h-3", days=-1, loans=None),
        _answer(plans.an_exemption("x-1", "2024-12-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00"), "h-5", days=-9),
        _a_report("h-6", days=-2, loans="123456789012345678.123456"),
        _a_report("h-7", days=-2, loans="1", text=ENDLESS),
        _answer(plans.a_return("r-6", "h-6-1"), "h-6", days=-1),
        _a_report("h-2", number=2, days=2, loans="2100", corrects="h-2-1"),
    ]


def _a_report(
    agency: str, number: int = 1, *, days: float, loans: str | None, text: str = HOSTILE, **changes: object
) -> Json:
    figures = {"lent": str(len(agency) * number), "overdue": "3.5"} | ({} if loans is None else {"loans": loans})
    content = {
        "nil_return": False,
        "figures_as_of": "2024-11-30",
        "sections": {"results": text, "proposals": text},
        "indicators": figures,
        "parts": changes.pop("parts", []),
    }
    document = {"number": HOSTILE, "issued_on": "2024-12-01", "signed_by": HOSTILE, "title": text}
    data = {"agency": agency, "obligation": "districts", "content": content, "document": document, **changes}
    return _stamp(plans.a_submission(f"{agency}-{number}", subject=agency, data=data), days)


def _answer(event: Json, agency: str = "h-1", *, days: float) -> Json:
    words = {name: HOSTILE for name in ("reason", "note") if name in event["data"]}
    data = {**event["data"], **words, "agency": agency, "obligation": "districts"}
    return _stamp({**event, "subject": agency, "data": data}, days)


def _stamp(event: Json, days: float) -> Json:
    received = DUE + timedelta(days=days, hours=8)
    receipt = f"{event['id'].encode().hex():0<32}"[:32]
    return {**event, "receivedtime": received.isoformat(), "receiptid": receipt}


def _list_alerts() -> Iterator[Json]:
    """Yield a reminder and an urging to the first agency."""
    key = DutyKey(plan=plans.PLAN, agency="h-1", obligation="districts", period=PERIOD)
    for days in (-7, -1):
        yield a_delivery_event(an_attempt(key, at=DUE + timedelta(days=days), due_at=DUE))


async def _publish(bus: Bus, facts: list[Json]) -> None:
    for fact in facts:
        recorded_at = datetime.fromisoformat(fact["receivedtime"])
        await bus.publish(FACTS.name, fact, key=fact["subject"], recorded_at=recorded_at)


async def _wait(bus: Bus) -> None:
    await bus.wait_until_consumed("dondoc-rules", FACTS.name)
    for topic in (FACTS.name, VERDICTS.name, DELIVERIES.name, REPORTS.name):
        await bus.wait_until_consumed("dondoc-reporting", topic)


def _evaluate_and_seal(service: Service, officer: str) -> str:
    """Record an officer's opinion and seal the report; return its check code."""
    path = f"/v1/plans/{plans.PLAN}/periods/{PERIOD}"
    with httpx.Client(base_url=service.url, headers={"authorization": f"Bearer {officer}"}, timeout=60) as client:
        opinion = {"agency": "h-2", "grade": "D", "sentence": HOSTILE}
        client.post(f"{path}/evaluations", json=opinion).raise_for_status()
        sealed: Json = client.post(f"{path}/reports", json={"signer": "Nguyễn Văn An"}).raise_for_status().json()
    check_code: str = sealed["check_code"]
    return check_code
