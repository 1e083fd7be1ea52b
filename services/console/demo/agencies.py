"""The cast of 2024: which agency behaves how. One that is not named here reports in time some day of the autumn."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from services.console.demo import behaviours
from services.console.demo.behaviours import Part, at
from services.console.demo.events import EXCHANGE, MAIL, PORTAL, POST, ZONE, Report, Way, drawn
from services.console.demo.expected import DUE_AT

AUTUMN_BEGINS_ON = date(2024, 10, 28)
WEEKS_OF_AUTUMN = 6
WORKING_DAYS_A_WEEK = 5
OFFICE_OPENS = time(8)
OFFICE_MINUTES = 8 * 60
REVIEW_BEFORE = timedelta(weeks=1)  # a district holds its review of the year, then reports its results
REVIEW = "district-annual-review"


def part_of(agency: str) -> Part:
    """Return what *agency* does in the story."""
    return CAST.get(agency, in_time)(agency)


def in_time(agency: str) -> Part:
    """Report completely on some working day of the autumn; a district has held its review before."""
    week, day = drawn(f"{agency}/week", 0, WEEKS_OF_AUTUMN), drawn(f"{agency}/day", 0, WORKING_DAYS_A_WEEK)
    minutes = drawn(f"{agency}/minute", 0, OFFICE_MINUTES)
    opens = datetime.combine(AUTUMN_BEGINS_ON + timedelta(weeks=week, days=day), OFFICE_OPENS, tzinfo=ZONE)
    way = (PORTAL, EXCHANGE, MAIL)[drawn(f"{agency}/way", 0, 3)]
    part = behaviours.sends(Report(agency=agency, at=opens + timedelta(minutes=minutes), way=way))
    if not agency.startswith(("h-", "tx-", "tp-")):
        return part
    review = Report(agency=agency, at=opens - REVIEW_BEFORE, obligation=REVIEW)
    return replace(part, posts=(review.post(), *part.posts))


def _sends(
    moment: datetime, *, way: Way = PORTAL, sent_at: datetime | None = None, written_as: str | None = None
) -> Callable[[str], Part]:
    return lambda agency: behaviours.sends(
        Report(agency=agency, at=moment, way=way, sent_at=sent_at, written_as=written_as)
    )


CAST: Mapping[str, Callable[[str], Part]] = {
    # Departments.
    "so-tp": lambda agency: behaviours.completes(agency, at(11, 20, "10:00"), at(12, 2, "10:40")),
    "so-gtvt": lambda agency: behaviours.completes(agency, at(12, 5, "16:10"), at(12, 12, "09:30")),
    "so-ldtbxh": behaviours.stays_incomplete,
    "so-khdt": behaviours.withdraws_and_sends_again,
    "so-ct": behaviours.withdraws,
    "so-tc": behaviours.sends_twice,
    "ban-dt": behaviours.sends_two_documents,
    "so-vhttdl": behaviours.amends,
    "so-nnptnt": lambda agency: behaviours.is_given_time(
        agency, decided=at(12, 4, "10:00"), due_at=at(12, 20, "00:00"), sent=at(12, 18, "15:00")
    ),
    "thanh-tra": behaviours.is_released,
    "so-ngv": behaviours.has_nothing_to_report,
    "so-yt": _sends(at(12, 9, "23:59:30")),
    "so-gddt": _sends(at(12, 10, "08:00")),
    "so-khcn": _sends(at(12, 16, "09:00")),
    "so-tttt": behaviours.silent,
    # Districts.
    "h-dong-son": behaviours.is_answered_for,
    "h-muong-lat": _sends(at(12, 13, "10:05"), way=POST, sent_at=at(12, 9, "16:20")),
    "h-quan-son": _sends(at(12, 10, "08:12"), sent_at=at(12, 9, "17:00")),
    "tx-sam-son": _sends(at(11, 27, "15:45"), written_as="tp-sam-son"),
    "tx-bim-son": _sends(at(12, 9, "23:59")),
    "h-tho-xuan": _sends(at(12, 9, "23:59:59.999")),
    "h-trieu-son": _sends(DUE_AT),
    "h-hoang-hoa": _sends(at(12, 10, "08:00:10")),
    "h-nga-son": _sends(at(12, 10, "08:15"), way=EXCHANGE, sent_at=at(12, 10, "08:14")),
    "h-yen-dinh": behaviours.corrects_figures,
    "h-nong-cong": behaviours.mistakes_the_year,
    "h-lang-chanh": _sends(at(12, 20, "10:00")),
    "h-thuong-xuan": _sends(at(12, 27, "15:30")),
    "h-quan-hoa": behaviours.silent,
    "h-ba-thuoc": behaviours.unreachable,
}
