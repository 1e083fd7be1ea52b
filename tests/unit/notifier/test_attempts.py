"""What is kept of an attempt: whatever a channel hands back, no address of the reader."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.ids import DutyKey
from services.notifier.channels.message_channel import SendResult
from services.notifier.core.rendering.render import RenderOptions
from services.notifier.core.scheduling.retry import RetryPolicy
from services.notifier.core.scheduling.routing import Delivery
from services.notifier.core.scheduling.scheduled_alert import DutyAlert, ScheduledAlert
from services.notifier.dispatch.attempts import Sender, SendPolicy
from services.notifier.metrics import NotifierMetrics
from services.runtime.clock import SystemClock

NOW = datetime(2026, 12, 3, 5, tzinfo=UTC)
ALERT = ScheduledAlert(kind=StepKind.REMINDER, step="P7D", at=NOW, send_at=NOW, due_at=None, first_at=NOW)
DUTY = DutyKey(plan="P-1", agency="h-mot", obligation="results", period="2026")


def a_delivery(channel: Channel, address: str) -> Delivery:
    """Return a reminder that is begun."""
    alert = DutyAlert(duty=DUTY, plan_version=1, registry="th", registry_version=1, clause="III.1", alert=ALERT)
    return Delivery(
        id="d-1",
        alert_id="a-1",
        to_agency="h-mot",
        channel=channel,
        address=address,
        language="vi",
        alerts=(alert,),
    )


@pytest.mark.parametrize(
    ("channel", "address", "said"),
    [
        (Channel.EMAIL, "van-thu@h-mot.example", "550 5.1.1 <van-thu@h-mot.example>: no mailbox van-thu here"),
        (Channel.SMS, "+84912345678", "0A1B for 84912345678, 0912345678"),
    ],
)
def test_no_channel_can_leave_the_address_in_its_answer(channel: Channel, address: str, said: str) -> None:
    """The answer is scrubbed where it becomes a record, also that of a channel that somebody adds later."""
    policy = SendPolicy(
        retry=RetryPolicy(), jitter=lambda: 0.0, message_id_domain="x.example", rendering=RenderOptions()
    )
    metrics = NotifierMetrics(CollectorRegistry(), ["other"])
    sender = Sender(policy, documents=cast("Any", None), clock=SystemClock(), metrics=metrics)
    result = SendResult(outcome=AttemptOutcome.ACCEPTED, answer=said)
    kept = sender.finish(a_delivery(channel, address), result, route="other").answer
    assert kept is not None
    assert "…" in kept
    assert not any(part in kept for part in ("van-thu", "@", "912345678"))
