"""What changed between two versions: by figure, with code, agency, both values and the events behind it."""

from typing import Any

from services.reporting.core.report import figures
from services.reporting.core.sealing import figure_changes
from services.reporting.core.sealing.figure_changes import FigureChange
from tests.support.builders.reports.report_inputs import some_report_inputs

PATH = "annual-results/2024"
DEBT = f"{PATH}/agencies/h-tho-xuan/indicators/overdue_debt"
TOTAL = f"{PATH}/indicators/overdue_debt/total"


def a_document(**changed: Any) -> dict[str, Any]:
    """Two agencies' debt with its total, and the status of one duty."""
    found = {
        DEBT: {"value": "15", "unit": "million_vnd", "evidence": ["e-1"]},
        TOTAL: {"value": "40", "unit": "million_vnd", "evidence": ["e-1", "e-2"]},
        f"{PATH}/agencies/h-tho-xuan/status": {"value": "overdue", "evidence": []},
        f"{PATH}/agencies/h-tho-xuan/days_late": {"value": 3},
        f"{PATH}/groups/ubnd-huyen/duties/late": {"value": 1},
    }
    return {"figures": {name: one for name, one in {**found, **changed}.items() if one is not None}}


def test_a_figure_that_was_corrected_is_listed_with_the_event_that_did_it() -> None:
    """The agency's own figure and the total that it is part of, each with both values and the correction alone."""
    after = a_document(
        **{
            DEBT: {"value": "17.5", "unit": "million_vnd", "evidence": ["e-3"]},
            TOTAL: {"value": "42.5", "unit": "million_vnd", "evidence": ["e-3", "e-2"]},
        }
    )
    named: Any = {
        "obligation": "annual-results",
        "period": "2024",
        "group": None,
        "unit": "million_vnd",
        "events": ("e-3",),
    }
    assert figure_changes.find_changes(a_document(), after) == [
        FigureChange(
            figure=DEBT, agency="h-tho-xuan", code="overdue_debt", measure="", before="15", after="17.5", **named
        ),
        FigureChange(
            figure=TOTAL, agency=None, code="overdue_debt", measure="total", before="40", after="42.5", **named
        ),
    ]


def test_a_figure_that_one_version_lacks_is_none_there() -> None:
    """What was withdrawn names the event that it rested on."""
    (gone,) = figure_changes.find_changes(a_document(), a_document(**{DEBT: None}))
    assert (gone.before, gone.after, gone.events) == ("15", None, ("e-1",))
    (added,) = figure_changes.find_changes(a_document(**{DEBT: None}), a_document())
    assert (added.before, added.after, added.events) == (None, "15", ("e-1",))


def test_days_that_pass_change_nothing_by_themselves() -> None:
    """One day more without a report is no change; the report that ends the waiting is, with its days late."""
    days, status = f"{PATH}/agencies/h-tho-xuan/days_late", f"{PATH}/agencies/h-tho-xuan/status"
    assert figure_changes.find_changes(a_document(), a_document(**{days: {"value": 4}})) == []
    late = a_document(**{days: {"value": 4}, status: {"value": "late", "evidence": ["e-9"]}})
    changes = figure_changes.find_changes(a_document(), late)
    assert [(one.code, one.before, one.after, one.events) for one in changes] == [
        ("days_late", 3, 4, ("e-9",)),
        ("status", "overdue", "late", ("e-9",)),
    ]


def test_groups_and_grades_are_named() -> None:
    """A figure of a group, an indicator's figure of a group, an officer's grade."""
    before: dict[str, Any] = {"figures": {}}
    after = {
        "figures": {
            f"{PATH}/groups/ubnd-huyen/duties/late": {"value": 1},
            f"{PATH}/indicators/overdue_debt/groups/ubnd-huyen/total": {"value": "9"},
            "evaluations/h-tho-xuan/officer_grade": {"value": "A"},
        }
    }
    changes = figure_changes.find_changes(before, after)
    assert [(one.obligation, one.group, one.agency, one.code, one.measure) for one in changes] == [
        ("annual-results", "ubnd-huyen", None, "late", ""),
        ("annual-results", "ubnd-huyen", None, "overdue_debt", "total"),
        (None, None, "h-tho-xuan", "officer_grade", ""),
    ]


def test_every_figure_of_a_report_has_a_name_that_is_understood() -> None:
    """Each figure of an indicator is named by the indicator's code, and no name holds a path."""
    document = figures.build_figures_document(some_report_inputs())
    changes = figure_changes.find_changes({"figures": {}}, document)
    assert len(changes) > 100
    assert not [one for one in changes if "/" in one.code + one.measure]
    of_debt = {(one.group, one.measure) for one in changes if one.code == "overdue_debt" and one.agency is None}
    assert {(None, "total"), (None, "change"), ("ubnd-huyen", "total"), ("ubnd-huyen", "agencies")} <= of_debt
