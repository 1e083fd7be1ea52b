"""Letters under the plan that ships, as its agencies would get them in 2024."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.ids import DutyKey
from schemas.plan import values
from services.console.support import inputs
from services.console.support.simulation import SimulationDocuments
from services.notifier.core.rendering import render
from services.notifier.core.rendering.officers import Officer
from services.notifier.core.rendering.render import Occasion, RenderedMessage, RenderOptions, SmsLetters
from services.notifier.core.scheduling.letter_history import (
    DutyHistory,
    LetterHistory,
    NamedDay,
    ReportTally,
    SentAlert,
)
from services.notifier.core.scheduling.routing import Digest, Language
from services.notifier.core.scheduling.scheduled_alert import DutyAlert, ScheduledAlert

PLANS = Path(__file__).parents[3] / "deploy" / "plans"
PLAN, OBLIGATION, PERIOD = "6766-KH-UBND", "annual-results", "2024"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DUE = datetime(2024, 12, 10, tzinfo=ZONE)
OFFICER = Officer(
    name="Nguyễn Thị Mẫu", unit="Phòng Kế hoạch - Nghiệp vụ", phone="02373000000", email="mau@bank.example"
)


@cache
def load_documents() -> SimulationDocuments:
    """Return the plan and the registry as they ship."""
    catalogues = inputs.read_plan_folders([PLANS / "6766-kh-ubnd"])
    return SimulationDocuments(
        catalogues={one.plan.plan: one for one in catalogues}, opens=time(7, 30), closes=time(17, 30)
    )


def at(day: int, month: int = 12, *, hour: int = 7, minute: int = 30, year: int = 2024) -> datetime:
    """Return a local instant, by default of December 2024 when the sending hours begin."""
    return datetime(year, month, day, hour, minute, tzinfo=ZONE)


def a_call(kind: StepKind, agency: str = "h-tho-xuan", **changes: Any) -> DutyAlert:
    """Return an alert about the report of *agency* for 2024; *changes* are of the alert, but for its `period`."""
    period = changes.pop("period", PERIOD)
    called = changes.pop("at", DUE - timedelta(days=7))
    given = {"step": "P7D", "at": called, "send_at": called, "first_at": called, "due_at": DUE, **changes}
    return DutyAlert(
        duty=DutyKey(plan=PLAN, agency=agency, obligation=OBLIGATION, period=period),
        plan_version=3,
        registry="thanh-hoa",
        registry_version=2,
        clause="III.1",
        alert=ScheduledAlert(kind=kind, **given),
    )


def a_history(
    *,
    urged: Sequence[datetime] = (),
    reminded: Sequence[datetime] = (),
    failed: Sequence[datetime] = (),
    named: NamedDay | None = None,
) -> DutyHistory:
    """Return a history of mails to the agency itself that were taken on these days, and of those that bounced."""
    sent = [
        SentAlert(
            kind=kind,
            step=values.format_days(number),
            to="self",
            due_at=DUE,
            outcome=AttemptOutcome.BOUNCED if instants is failed else AttemptOutcome.ACCEPTED,
            at=instant,
        )
        for kind, instants in (
            (StepKind.URGING, urged),
            (StepKind.REMINDER, reminded),
            (StepKind.URGING, failed),
        )
        for number, instant in enumerate(instants, start=100 if instants is failed else 10)
    ]
    return DutyHistory(sent=tuple(sent), named=named)


def write_letter(  # noqa: PLR0913 - each has a default
    *alerts: DutyAlert,
    now: datetime,
    to: str | None = None,
    language: Language = "vi",
    histories: dict[str, DutyHistory] | None = None,
    counts: ReportTally | None = None,
    options: RenderOptions | None = None,
    channel: Channel = Channel.EMAIL,
) -> RenderedMessage:
    """Write the letter about *alerts* to the agency of the first of them, or *to* somebody else."""
    key = (PLAN, OBLIGATION, PERIOD)
    past = {str(one.duty): found for one in alerts if (found := (histories or {}).get(one.duty.agency))}
    history = LetterHistory(duties=past, counts={key: counts} if counts else {})
    return render.render_digest(
        Digest(to_agency=to or alerts[0].duty.agency, channel=channel, alerts=alerts),
        load_documents(),
        language=language,
        options=options or RenderOptions(officers={PLAN: OFFICER}),
        occasion=Occasion(now=now.astimezone(UTC), history=history, delivery="d-1"),
    )


def write_sms(*alerts: DutyAlert, letters: SmsLetters = SmsLetters.UNACCENTED, **given: Any) -> RenderedMessage:
    """Write the text message about *alerts*."""
    options = RenderOptions(officers={PLAN: OFFICER}, letters=letters)
    return write_letter(*alerts, channel=Channel.SMS, options=options, **given)
