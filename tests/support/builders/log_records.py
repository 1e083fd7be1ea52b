"""Records of the log as a consumer gets them, built around assessments and delivery attempts."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from schemas.events.assessments import ASSESSED
from schemas.events.deliveries import DELIVERED
from services.console.demo.plan_6766.events import RESULTS, YEAR, ZONE

NOON = datetime(2024, 12, 3, 12, tzinfo=ZONE)


def a_log_record(event_type: str, data: Mapping[str, Any]) -> ConsumerRecord[bytes, bytes]:
    """Build a record of the log that holds an event."""
    value = json.dumps({"type": event_type, "data": data}).encode()
    return ConsumerRecord("t", 0, 0, 0, 0, None, value, None, 0, len(value), ())


def an_assessment_record(
    agency: str, *changes: tuple[datetime, str], period: str = YEAR
) -> ConsumerRecord[bytes, bytes]:
    """Build the assessment of one agency's annual results; *changes* are the instants and statuses of its timeline."""
    timeline = [{"from": at.isoformat(), "status": status} for at, status in changes]
    return a_log_record(ASSESSED, {"agency": agency, "obligation": RESULTS, "period": period, "timeline": timeline})


def an_attempt_record(alert: str, channel: str = "email", outcome: str = "delivered") -> ConsumerRecord[bytes, bytes]:
    """Build the record of one attempt to deliver *alert*."""
    return a_log_record(DELIVERED, {"alert": alert, "channel": channel, "outcome": outcome})
