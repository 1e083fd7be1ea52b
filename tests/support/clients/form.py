"""Use the web form as a person does: intake and rules as processes, a plan with requirements, links, small files."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from schemas.events.form_links import DutyLink, LinkKey, form_url
from schemas.events.ids import DutyKey
from schemas.events.topics import FACTS
from services.runtime import clock
from services.runtime.kafka.published_documents import PLAN, REGISTRY, publish_document
from tests.support.builders.plans import SINCE, Json, a_plan, a_registry, a_version, an_agency, an_obligation
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

SECRET = "a secret of the form that is long enough"
NOW = datetime.fromisoformat("2026-12-01T09:00:00+07:00")
DUE = datetime.fromisoformat("2026-12-10T00:00:00+07:00")
REQUIRES: Json = {
    "sections": [{"id": "results", "title": {"vi": "Kết quả thực hiện", "en": "Results"}}],
    "indicators": [
        {"code": "entrusted", "unit": "million_vnd", "min": 0, "title": {"vi": "Vốn ủy thác", "en": "Entrusted"}}
    ],
    "attachments": {"min": 1, "media_types": ["application/pdf"]},
    "signed": True,
}
ACCEPTS: Json = {
    "sections": [{"id": "proposals", "title": {"vi": "Kiến nghị, đề xuất", "en": "Proposals"}}],
    "indicators": ["loans", "poor"],
}
INDICATORS: list[Json] = [
    {"code": "loans", "title": {"vi": "Tổng dư nợ", "en": "Outstanding loans"}, "unit": "million_vnd", "min": 0},
    {"code": "poor", "title": {"vi": "Số hộ nghèo", "en": "Poor households"}, "asked_of": ["so-ldtbxh"]},
    {
        "code": "share",
        "title": {"vi": "Tỷ trọng vốn ủy thác", "en": "Entrusted share"},
        "unit": "percent",
        "kind": "ratio",
        "formula": "entrusted * 100 / loans",
        "max": 50,
    },
]
AGENCIES_OF_FORM = tuple(f"h-{number}" for number in range(1, 121))
# A district that was split among all of them in July 2026, when its report of 2025 was overdue.
ENDED = "h-cu"
PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
ANSWERS = {
    "document.number": "12/BC-UBND",
    "document.issued_on": "2026-11-30",
    "document.signed_by": "Lê Văn A, Chủ tịch",
    "document.title": "Báo cáo kết quả năm 2026",
    "content.figures_as_of": "30/11/2026",
    "sections.results": "Đã thực hiện đầy đủ các nhiệm vụ được giao.",
    "indicators.entrusted": "1.234,5",
}


@dataclass(frozen=True, kw_only=True)
class Site:
    """Intake with the form, and what a test needs to use it."""

    intake: Service
    bus: Bus
    clock: Path
    attachments: Path
    agency: str

    def token(self, *, days: float = 90, issued_at: datetime = NOW, secret: str = SECRET, **duty_changes: str) -> str:
        """Return a token for the agency's duty of 2026, changed by *duty_changes*, that expires in *days*."""
        named = {"plan": "P-1", "agency": self.agency, "obligation": "results", "period": "2026"}
        duty = DutyKey(**(named | duty_changes))
        return LinkKey(secret).sign_link(
            DutyLink(duty=duty, issued_at=issued_at, expires_at=NOW + timedelta(days=days))
        )

    def token_of_successor(self) -> str:
        """Return a token by which the agency files the report of 2025 for the district that has ended."""
        duty = DutyKey(plan="P-1", agency=ENDED, obligation="results", period="2025")
        link = DutyLink(duty=duty, issued_at=NOW, expires_at=NOW + timedelta(days=90), filed_by=self.agency)
        return LinkKey(SECRET).sign_link(link)

    def address(self, token: str | None = None, language: str = "vi") -> str:
        """Return the URL of the form as a mail has it."""
        return form_url(self.intake.url, token or self.token(), language)

    def steer(self, instant: datetime) -> None:
        """Set the clock of intake and rules."""
        clock.steer(self.clock, instant)

    async def events(self) -> list[Json]:
        """Return every event of the agency in the log of facts."""
        found = [record.json for record in await self.bus.records(FACTS.name)]
        return [event for event in found if event.get("subject") == self.agency]


async def publish_form_plan(bus: Bus) -> None:
    """Publish a plan whose one obligation requires a section, a figure, a file and a signature."""
    plan = a_plan(an_obligation(a_version(requires=REQUIRES, accepts=ACCEPTS)), indicators=INDICATORS)
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        agencies = [an_agency(agency) for agency in AGENCIES_OF_FORM]
        ended = an_agency(ENDED, valid={"from": SINCE, "to": "2026-07-01"})
        split = {"type": "split", "from": [ENDED], "to": [*AGENCIES_OF_FORM], "on": "2026-07-01", "act": "NQ 1"}
        await publish_document(producer, REGISTRY, a_registry(*agencies, ended, successions=[split]))
        await publish_document(producer, PLAN, plan)


def post_form(
    client: httpx.Client, address: str, *, action: str = "send", files: dict[str, bytes] | None = None, **changes: Any
) -> httpx.Response:
    """Post the form as a browser does; *changes* are answers by their key with `__` for the dot."""
    answers = ANSWERS | {name.replace("__", "."): value for name, value in changes.items()}
    parts = [("attachments", (name, content)) for name, content in (files or {}).items()]
    blank = [("attachments", ("", b"", "application/octet-stream"))]
    return client.post(address, data={**answers, "action": action}, files=parts or blank)
