"""Thanh Hóa's communes report under their districts until 1 July 2025, and under the province from then on.

Every day here was counted by hand: 14 June 2025 is a Saturday, 14 September and 14 December 2025 are Sundays.
"""

from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from schemas.content import compiled_parts
from schemas.events.assessments import Status
from schemas.plan import periods
from services.console.commands.plans import check
from services.console.commands.plans.duties import list_duties
from services.console.support import inputs
from services.rules.core.assess import assess
from services.rules.core.duty_catalogue import DutyCatalogue

FOLDER = Path(__file__).parents[3] / "deploy/plans/01-2024-tt-ttcp-thanh-hoa"
LAST_DAY_OF_DISTRICTS, FIRST_DAY_WITHOUT = date(2025, 6, 30), date(2025, 7, 1)
LEFT_ALONE = "x-14848"  # xã Tam Chung
MERGED = "x-14755"  # phường Hàm Rồng of the old list


@pytest.fixture(scope="module")
def catalogue() -> DutyCatalogue:
    """The shipped plan with its registry."""
    return inputs.read_plan_folder(FOLDER)


def test_the_shipped_folder_passes_the_check() -> None:
    """`dondoc check` has nothing to say of what we ship, not even a warning."""
    assert check.check_folder(FOLDER, today=date(2026, 12, 31)).faults == ()


def test_the_reports_of_2025_are_due_in_working_days_after_their_cut_off(catalogue: DutyCatalogue) -> None:
    """Communes have two working days and the level above four, until five in the afternoon."""
    rows = list_duties(catalogue, periods.parse("2025"), None)
    assert Counter((row["obligation"], row["period"], row["due_at"][:16]) for row in rows) == {
        ("commune-report", "2025-H1", "2025-06-17T17:00"): 547,
        ("district-report", "2025-H1", "2025-06-19T17:00"): 26,
        ("commune-report", "2025-9M", "2025-09-16T17:00"): 166,
        ("province-report", "2025-9M", "2025-09-18T17:00"): 1,
        ("commune-report", "2025", "2025-12-16T17:00"): 166,
        ("province-report", "2025", "2025-12-18T17:00"): 1,
    }


def test_the_reports_of_2026_skip_weekends(catalogue: DutyCatalogue) -> None:
    """In 2026 the 14th of March is a Saturday and that of June a Sunday; September's and December's are Mondays."""
    rows = list_duties(catalogue, periods.parse("2026"), None)
    assert {row["period"]: row["due_at"][:16] for row in rows if row["obligation"] == "commune-report"} == {
        "2026-Q1": "2026-03-17T17:00",
        "2026-H1": "2026-06-16T17:00",
        "2026-9M": "2026-09-16T17:00",
        "2026": "2026-12-16T17:00",
    }


@pytest.mark.parametrize(("day", "kinds"), [(LAST_DAY_OF_DISTRICTS, (547, 26)), (FIRST_DAY_WITHOUT, (166, 0))])
def test_the_district_level_ends_on_one_day(catalogue: DutyCatalogue, day: date, kinds: tuple[int, int]) -> None:
    """On 30 June 2025 there are 547 communes under 26 districts, on 1 July 166 under the province."""
    registry = catalogue.registry
    present = [one for one in registry.agencies if registry.exists_on(one.id, day)]
    groups = Counter(group.id for one in present for group in one.groups if group.contains(day))
    assert (groups["ubnd-xa"], groups["ubnd-huyen"]) == kinds
    orphans = [one.id for one in present if one.groups and registry.parent_on(one.id, day) is None]
    assert orphans == []


def test_the_166_are_147_communes_and_19_wards(catalogue: DutyCatalogue) -> None:
    """As the National Assembly's committee has it."""
    names = [
        one.name_on(FIRST_DAY_WITHOUT).split()[1]
        for one in catalogue.registry.agencies
        if one.groups and catalogue.registry.exists_on(one.id, FIRST_DAY_WITHOUT)
    ]
    assert Counter(names) == {"xã": 147, "phường": 19}


def test_a_commune_that_was_left_alone_changes_its_parent(catalogue: DutyCatalogue) -> None:
    """It goes on as the same body, and owes the reports of both halves of the year."""
    registry = catalogue.registry
    assert registry.parent_on(LEFT_ALONE, LAST_DAY_OF_DISTRICTS) == "h-muong-lat"
    assert registry.parent_on(LEFT_ALONE, FIRST_DAY_WITHOUT) == "ubnd-tinh"
    rows = list_duties(catalogue, periods.parse("2025"), None)
    assert [row["period"] for row in rows if row["agency"] == LEFT_ALONE] == ["2025-H1", "2025-9M", "2025"]


def test_every_old_commune_goes_into_a_new_one(catalogue: DutyCatalogue) -> None:
    """516 went whole into 145 new ones, ten were divided; 21 were left alone."""
    acts = catalogue.registry.successions
    whole = [one for act in acts if act.type == "merge_new" for one in act.from_]
    divided = [one for act in acts if act.type == "split" for one in act.from_]
    assert (len(whole), len(set(whole)), len(divided)) == (516, 516, 10)
    assert len({heir for act in acts for heir in act.to}) == 145


@pytest.mark.parametrize(
    ("compiler", "obligation", "period", "count"),
    [
        ("h-muong-lat", "district-report", "2025-H1", 8),
        ("tp-thanh-hoa", "district-report", "2025-H1", 47),
        ("ubnd-tinh", "province-report", "2025-9M", 166),
    ],
)
def test_a_compiled_report_has_its_communes_as_parts(
    catalogue: DutyCatalogue, compiler: str, obligation: str, period: str, count: int
) -> None:
    """Of a district those that were below it then; of the province all of them."""
    duty = catalogue.duty(agency=compiler, obligation=obligation, period=period)
    parts = compiled_parts.list_parts(catalogue.plan, catalogue.registry, duty.key)
    assert len(parts) == count


def test_what_an_old_commune_owed_later_passes_on(catalogue: DutyCatalogue) -> None:
    """Its report of nine months is its successor's; that of six months, due before it ended, stays its own."""
    at = datetime.fromisoformat("2025-07-02T08:00:00+07:00")
    later = catalogue.duty(agency=MERGED, obligation="commune-report", period="2025-9M")
    earlier = catalogue.duty(agency=MERGED, obligation="commune-report", period="2025-H1")
    assert assess(later, ()).at(at).status is Status.SUPERSEDED
    assert assess(earlier, ()).at(at).status is Status.OVERDUE
