"""Sums up a simulated season: by agency, by day, what the text messages cost, floods, moves to working days, digests.

Messages are counted as they go out, one for each contact. A pure function of what was simulated. The officers' weekly
digests stand by themselves and are in no sum: they are no alerts, and who has an address for them is a setting.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.console.support.simulation import SimulatedAlert, SimulatedDigest, SimulationDocuments
from services.notifier.core.scheduling.schedule import SendingHours

FLOOD_DAYS = 7
FLOOD_MESSAGES = 4  # to one contact within those days: more reads as a flood
_FALLS_ON_A_DAY = frozenset({StepKind.REMINDER, StepKind.URGING, StepKind.ESCALATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAlert:
    """A simulated alert and the parts of its text message (0 for a mail)."""

    alert: SimulatedAlert
    segments: int

    @property
    def messages(self) -> int:
        """How many people it goes to."""
        return len(self.alert.digest.contacts)


def summarise(
    written: Iterable[WrittenAlert], documents: SimulationDocuments, *, price: Decimal | None
) -> Iterator[Mapping[str, Any]]:
    """Yield one row for each agency, each day, each flood and each move, and the sum; *price* is that of a part."""
    alerts = list(written)
    by_agency: dict[str, list[WrittenAlert]] = {}
    by_day: dict[date, list[WrittenAlert]] = {}
    for one in alerts:
        by_agency.setdefault(one.alert.digest.to_agency, []).append(one)
        by_day.setdefault(_find_day(one, documents), []).append(one)
    for agency in sorted(by_agency):
        yield {"summary": "agency", "agency": agency, **_count(by_agency[agency], price)}
    for day in sorted(by_day):
        yield {"summary": "day", "day": day.isoformat(), **_count(by_day[day], price)}
    for agency in sorted(by_agency):
        yield from _find_floods(agency, by_agency[agency], documents)
    yield from _find_moves(alerts, documents)
    yield {"summary": "total", **_count(alerts, price)}


def describe_digests(digests: Iterable[SimulatedDigest], documents: SimulationDocuments) -> Iterator[Mapping[str, Any]]:
    """Yield one row for each digest of an officer: when it would go out, and how much of what it tells."""
    for one in digests:
        told = one.digest
        yield {
            "summary": "officer-digest",
            "plan": told.week.plan,
            "day": one.at.astimezone(documents.zone(told.week.plan)).date().isoformat(),
            "unreached": len(told.unreached),
            "to_review": len(told.to_review),
            "overdue": len(told.overdue),
            "incomplete": len(told.incomplete),
            "without_heir": len(told.without_heir),
            "coming": len(told.coming),
            "planned": sum(each.count for each in told.planned),
        }


def _count(written: Sequence[WrittenAlert], price: Decimal | None) -> dict[str, Any]:
    channels = Counter[Channel]()
    for one in written:
        channels[one.alert.digest.channel] += one.messages
    segments = sum(one.segments * one.messages for one in written)
    return {
        "mails": channels[Channel.EMAIL],
        "sms": channels[Channel.SMS],
        "segments": segments,
        "price": None if price is None else str(price * segments),
        "unreachable": sum(not one.messages for one in written),
    }


def _find_floods(
    agency: str, written: Sequence[WrittenAlert], documents: SimulationDocuments
) -> Iterator[Mapping[str, Any]]:
    """Yield the first day of each span of days in which a contact would get more messages than people read."""
    for channel in Channel:
        days = sorted(_find_day(one, documents) for one in written if one.alert.digest.channel is channel)
        begun: date | None = None
        for place, day in enumerate(days):
            within = [one for one in days[place:] if one < day + timedelta(days=FLOOD_DAYS)]
            if len(within) > FLOOD_MESSAGES and (begun is None or day >= begun + timedelta(days=FLOOD_DAYS)):
                begun = day
                yield {
                    "summary": "flood",
                    "agency": agency,
                    "channel": channel.value,
                    "day": day.isoformat(),
                    "messages": len(within),
                    "days": FLOOD_DAYS,
                }


def _find_moves(alerts: Iterable[WrittenAlert], documents: SimulationDocuments) -> Iterator[Mapping[str, Any]]:
    """Yield how many alerts of a day off go out on which working day instead."""
    moved = Counter[tuple[date, date, str]]()
    for one in alerts:
        sent_on = _find_day(one, documents)
        for told in one.alert.digest.alerts:
            hours = documents.hours(told.duty.plan, told.plan_version)
            called_on = told.alert.at.astimezone(hours.zone).date()
            if told.alert.kind in _FALLS_ON_A_DAY and called_on != sent_on and _is_day_off(hours, called_on):
                moved[called_on, sent_on, told.alert.kind.value] += 1
    for (called_on, sent_on, kind), count in sorted(moved.items()):
        days = {"called_on": called_on.isoformat(), "sent_on": sent_on.isoformat()}
        yield {"summary": "moved", **days, "kind": kind, "alerts": count}


def _is_day_off(hours: SendingHours, day: date) -> bool:
    return not hours.days.is_working_day(day)


def _find_day(one: WrittenAlert, documents: SimulationDocuments) -> date:
    return one.alert.at.astimezone(documents.zone(one.alert.digest.lead.duty.plan)).date()
