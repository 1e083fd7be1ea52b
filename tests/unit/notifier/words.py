"""Notices to put into words: plan P-1 and its registry, one duty of one agency unless told otherwise."""

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
from services.notifier.core.rendering.render import Means, Text
from services.notifier.core.scheduling.digest import Notice
from services.notifier.core.scheduling.quiet_hours import SendingHours
from services.notifier.core.scheduling.routing import Language
from services.notifier.core.scheduling.scheduled_alert import Call, Telling
from tests.support.builders import plans
from tests.unit.notifier.agendas import DUE, days

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
EVERYTHING = ("sections.results", "indicators.entrusted", "attachments", "signed", "checks.ratio")


class Shelf:
    """One plan and one registry, whatever version is asked for."""

    def __init__(self, title: str = "Kết quả thực hiện Kế hoạch") -> None:
        named = {"vi": title, "en": "Results of the plan"}
        obligation = plans.an_obligation(
            plans.a_version(requires=REQUIRES), title=named, recipient=BANK, addressees=[plans.GROUP]
        )
        self._plan = plans.a_plan(obligation)
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
        return SendingHours(opens=time.min, closes=time.max, zone=ZoneInfo("Asia/Ho_Chi_Minh"))


def a_telling(kind: StepKind = StepKind.REMINDER, **changes: Any) -> Telling:
    """A call about the agency's duty of 2026; *changes* are of the call, `agency` and `period` of the duty."""
    duty = DutyKey(
        plan=plans.PLAN,
        agency=changes.pop("agency", AGENCY),
        obligation=changes.pop("obligation", plans.OBLIGATION),
        period=changes.pop("period", "2026"),
    )
    at = changes.get("at", days(-7))
    usual: dict[str, Any] = {"step": "P7D", "at": at, "send_at": at, "first_at": at, "due_at": DUE}
    return Telling(
        duty=duty,
        plan_version=1,
        registry=plans.REGISTRY,
        registry_version=1,
        clause="III.1",
        call=Call(kind=kind, **(usual | changes)),
    )


def a_notice(*tellings: Telling, to: str = AGENCY, channel: Channel = Channel.EMAIL) -> Notice:
    """A notice to the agency by mail."""
    return Notice(to_agency=to, channel=channel, tellings=tellings or (a_telling(),))


def written(
    notice: Notice,
    *,
    language: Language = "vi",
    means: Means | None = None,
    now: datetime | None = None,
    shelf: Shelf | None = None,
) -> Text:
    """The notice in words, a week before it is due unless told otherwise."""
    return render.text(notice, shelf or Shelf(), language=language, means=means or Means(), now=now or days(-6.5))


def all_in(text: str, *parts: str) -> Sequence[str]:
    """Return the *parts* that *text* lacks."""
    return [part for part in parts if part not in text]
