"""Builders of digests and of the documents they cite: plan P-1, its registry, and one duty of one agency."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from schemas.events.ids import DutyKey
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.notifier.core.rendering import render
from services.notifier.core.rendering.render import Occasion, RenderedMessage, RenderOptions
from services.notifier.core.scheduling.letter_history import NO_HISTORY, LetterHistory
from services.notifier.core.scheduling.routing import Digest, Language
from services.notifier.core.scheduling.schedule import SendingHours
from services.notifier.core.scheduling.scheduled_alert import DutyAlert, ScheduledAlert
from tests.support.builders import plans
from tests.unit.notifier.schedule_builders import DUE, EveryDay, days

AGENCY = "h-tho-xuan"
BANK = "nhcsxh-tinh"
REQUIRES = {
    "sections": [{"id": "results", "title": {"vi": "Kết quả thực hiện", "en": "Results"}}, "proposals"],
    "indicators": [
        {
            "code": "entrusted",
            "title": {"vi": "Vốn ngân sách địa phương ủy thác", "en": "Entrusted local budget"},
            "unit": "million_vnd",
            "min": 0,
            "max": 9984.2,
        }
    ],
    "attachments": {"min": 1, "media_types": ["application/pdf"]},
    "signed": True,
    "checks": [{"id": "ratio", "cel": "true", "message": {"vi": "Tỷ lệ nợ quá hạn sai.", "en": "The ratio is wrong."}}],
}
ACCEPTS = {"indicators": ["customers"]}
DECLARED = [
    {
        "code": "customers",
        "title": {"vi": "Số khách hàng", "en": "Customers"},
        "unit": "customer",
        "min": 0,
        "integer": True,
    }
]
EVERYTHING = ("sections.results", "indicators.entrusted", "attachments", "signed", "checks.ratio")


class FakeDocuments:
    """One plan and one registry, returned for any id and version."""

    def __init__(
        self,
        title: str = "Kết quả thực hiện Kế hoạch",
        *,
        report_title: str | None = None,
        report_short: str | None = None,
    ) -> None:
        named = {"vi": title, "en": "Results of the plan"}
        obligation = plans.an_obligation(
            plans.a_version(requires=REQUIRES, accepts=ACCEPTS),
            title=named,
            report_title=None if report_title is None else {"vi": report_title},
            report_short=None if report_short is None else {"vi": report_short},
            recipient=BANK,
            addressees=[plans.GROUP],
        )
        self._plan = plans.a_plan(obligation, indicators=DECLARED)
        names = [{"vi": "UBND huyện Thọ Xuân", "en": "Tho Xuan District People's Committee"}]
        bank = [{"vi": "Chi nhánh NHCSXH tỉnh Thanh Hóa", "en": "VBSP Thanh Hoa branch"}]
        self._registry = plans.a_registry(
            plans.an_agency(AGENCY, names=names, parent="ubnd-tinh"),
            plans.an_agency(BANK, names=bank, groups=[]),
            plans.an_agency("ubnd-tinh", names=[{"vi": "UBND tỉnh Thanh Hóa"}], groups=[]),
        )

    def plan(self, plan_id: str, version: int) -> Plan:
        del plan_id, version
        return self._plan

    def registry(self, registry_id: str, version: int) -> Registry:
        del registry_id, version
        return self._registry

    def hours(self, plan_id: str, version: int) -> SendingHours:
        del plan_id, version
        return SendingHours(opens=time.min, closes=time.max, zone=ZoneInfo("Asia/Ho_Chi_Minh"), days=EveryDay())


def an_alert(kind: StepKind = StepKind.REMINDER, **changes: Any) -> DutyAlert:
    """Return an alert about the agency's duty of 2026.

    *changes* are of the alert, except `agency`, `obligation` and `period`, which are of the duty.
    """
    duty = DutyKey(
        plan=plans.PLAN,
        agency=changes.pop("agency", AGENCY),
        obligation=changes.pop("obligation", plans.OBLIGATION),
        period=changes.pop("period", "2026"),
    )
    at = changes.get("at", days(-7))
    defaults: dict[str, Any] = {"step": "P7D", "at": at, "send_at": at, "first_at": at, "due_at": DUE}
    return DutyAlert(
        duty=duty,
        plan_version=1,
        registry=plans.REGISTRY,
        registry_version=1,
        clause="III.1",
        alert=ScheduledAlert(kind=kind, **(defaults | changes)),
    )


def a_digest(*alerts: DutyAlert, to: str = AGENCY, channel: Channel = Channel.EMAIL) -> Digest:
    """Return a digest of *alerts* to the agency by mail, by default of one reminder."""
    return Digest(to_agency=to, channel=channel, alerts=alerts or (an_alert(),))


def render_text(  # noqa: PLR0913 - each has a default
    digest: Digest,
    *,
    language: Language = "vi",
    options: RenderOptions | None = None,
    now: datetime | None = None,
    documents: FakeDocuments | None = None,
    history: LetterHistory = NO_HISTORY,
) -> RenderedMessage:
    """Render *digest*, by default on the sixth day before the due date."""
    return render.render_digest(
        digest,
        documents or FakeDocuments(),
        language=language,
        options=options or RenderOptions(),
        occasion=Occasion(now=now or days(-6.5), history=history, delivery="d-1"),
    )


def absent_parts(text: str, *parts: str) -> Sequence[str]:
    """Return those of *parts* that are not in *text*."""
    return [part for part in parts if part not in text]
