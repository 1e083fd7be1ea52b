"""Finds who could not be reached by an alert of a season, by simulating the season day by day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.plan import calendar, periods
from schemas.plan.periods import Period
from services.console.support.simulation import Simulation, SimulationDocuments
from services.notifier.core.scheduling.routing import ContactBook

# Who stays silent is urged until the next report of the kind falls due; a year covers that for every recurrence.
AFTER_PERIOD = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachedRecipient:
    """An agency or list that an alert could not reach on *days*, in order."""

    recipient: str
    days: tuple[date, ...]


def find_unreached(documents: SimulationDocuments, book: ContactBook, season: Period) -> Iterator[UnreachedRecipient]:
    """Yield who could not be reached when nobody reports on the one plan in *season*, by the first day of it."""
    (catalogue,) = documents.catalogues.values()
    zone = catalogue.calendar.zone
    since = calendar.midnight(season.starts_on, zone)
    days: dict[str, dict[date, None]] = {}
    for one in Simulation(documents, book).run((), since=since, until=since + _length_of(season) + AFTER_PERIOD):
        concerned = any(_belongs_to(season, alert.duty.period) for alert in one.digest.alerts)
        if concerned and not one.digest.contacts:
            days.setdefault(one.digest.to_agency, {})[one.at.astimezone(zone).date()] = None
    for recipient, unreached in days.items():
        yield UnreachedRecipient(recipient=recipient, days=tuple(unreached))


def _length_of(season: Period) -> timedelta:
    return season.ends_on - season.starts_on


def _belongs_to(season: Period, period: str | None) -> bool:
    """Whether a duty for *period* is one of the season; one without a period belongs to any."""
    return period is None or season.covers(periods.parse(period))
