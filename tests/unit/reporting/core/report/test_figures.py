"""The figures of a report: each under an id, with unit, cut-off, formula and evidence, the same at every rendering."""

import json
from dataclasses import replace
from decimal import Decimal

from services.reporting.core.report import figures
from tests.support.builders.reports.report_inputs import some_report_inputs

INPUTS = some_report_inputs()
FIGURES = figures.collect_figures(INPUTS)
PATH = "annual-results/2026"


def test_a_total_carries_unit_cut_off_and_the_events_of_those_who_are_summed() -> None:
    """The evidence of a total is the submission of every agency behind it, and its sum is that of their figures."""
    total = FIGURES[f"{PATH}/indicators/outstanding_loans/total"]
    behind = [
        FIGURES[name]
        for name in FIGURES
        if name.endswith("/indicators/outstanding_loans") and name.startswith(f"{PATH}/agencies/h-")
    ]
    summed = [one for one in behind if one.evidence[0] in total.evidence]
    assert (total.unit, total.cut_offs) == ("million_vnd", ("2026-11-30",))
    assert total.value == sum(one.value for one in summed if isinstance(one.value, Decimal))
    assert len(total.evidence) == FIGURES[f"{PATH}/indicators/outstanding_loans/agencies"].value


def test_every_figure_of_an_indicator_leads_to_its_events() -> None:
    """By their ids, or by a formula over figures that have them; whom it is asked of and its target say the plan."""
    of_plan = ("asked", "target", "comparable")
    found = [one for name, one in FIGURES.items() if "/indicators/" in name and not name.endswith(of_plan)]
    assert len(found) > 100
    assert [one.id for one in found if one.value not in (None, 0) and not one.evidence and not one.formula] == []


def test_the_total_of_a_group_and_of_the_year_before_carry_their_own_events_and_cut_offs() -> None:
    """What the others gave, and what these gave this year, is no evidence of theirs."""
    path = f"{PATH}/indicators/entrusted_local_budget"
    whole, groups = (
        FIGURES[f"{path}/total"],
        [FIGURES[f"{path}/groups/{one}/total"] for one in ("ubnd-huyen", "so-ban-nganh")],
    )
    assert sorted(one for group in groups for one in group.evidence) == sorted(whole.evidence)
    before = FIGURES[f"{path}/previous"]
    assert (before.cut_offs, {one.rpartition("-")[2] for one in before.evidence}) == (("2025-11-30",), {"2025"})
    assert set(FIGURES[f"{path}/same"].evidence) <= set(whole.evidence)
    assert set(FIGURES[f"{path}/same_previous"].evidence) <= set(before.evidence)


def test_what_a_ranking_tells_of_an_agency_leads_to_both_years() -> None:
    """Its figure to this year's report, the change to the two figures that it is worked out from."""
    path = f"{PATH}/agencies/h-00/indicators/entrusted_added_in_year"
    now, before, change = FIGURES[path], FIGURES[f"{path}/previous"], FIGURES[f"{path}/change"]
    assert (now.evidence, before.evidence, before.cut_offs) == (("h-00-2026",), ("h-00-2025",), ("2025-11-30",))
    assert isinstance(now.value, Decimal)
    assert isinstance(before.value, Decimal)
    assert (change.value, change.formula) == (now.value - before.value, "entrusted_added_in_year - previous")


def test_what_is_said_of_urging_leads_to_the_deliveries() -> None:
    """Each agency's reminders and urgings, and how many each step reached."""
    urged = [one for name, one in FIGURES.items() if name.rpartition("/")[2] in {"reminders", "urgings", "asked"}]
    urged = [one for one in urged if "/indicators/" not in one.id]
    assert any("/steps/reminder:P7D/" in one.id for one in urged)
    assert [one.id for one in urged if bool(one.value) != bool(one.evidence)] == []


def test_a_grade_names_its_condition() -> None:
    """It is worked out from the status of the duty; what an officer records beside it leads to that event."""
    assert FIGURES["evaluations/h-00/grade"].formula == "status == 'on_time'"
    graded = replace(INPUTS.evaluations[0], officer_grade="B", officer_sentence="Khá.", officer_event="e-7")
    of_officer = figures.collect_figures(replace(INPUTS, evaluations=(graded,)))
    assert of_officer[f"evaluations/{graded.agency}/officer_grade"].evidence == ("e-7",)


def test_a_ratio_rests_on_whoever_gave_a_figure_that_it_names() -> None:
    """One agency gives only what stands below the line: its report is behind the ratio all the same."""
    ratio, loans, debt = (
        FIGURES[f"{PATH}/indicators/{code}/total"] for code in ("overdue_ratio", "outstanding_loans", "overdue_debt")
    )
    assert set(ratio.evidence) == {*loans.evidence, *debt.evidence}


def test_a_ratio_and_what_is_worked_out_name_their_formula() -> None:
    """A figure that is not summed says how it is worked out."""
    assert FIGURES[f"{PATH}/indicators/overdue_ratio/total"].formula == "overdue_debt * 100 / outstanding_loans"
    assert FIGURES[f"{PATH}/indicators/outstanding_loans/change"].formula == figures.CHANGE_FORMULA
    assert FIGURES[f"{PATH}/duties/reporting_rate"].formula == "actual / expected"


def test_the_document_is_plain_json_and_does_not_depend_on_the_order_of_the_results() -> None:
    """Decimals are texts, and whoever compiles the same facts again gets the same document."""
    document = figures.build_figures_document(INPUTS)
    again = figures.build_figures_document(replace(some_report_inputs(), evaluations=INPUTS.evaluations[::-1]))
    assert json.loads(json.dumps(document)) == document
    assert again == document
    assert isinstance(document["figures"][f"{PATH}/indicators/outstanding_loans/total"]["value"], str)


def test_a_sum_over_nobody_is_unknown() -> None:
    """Where nobody gave a figure its total is null, never zero."""
    nobody = replace(INPUTS.results[0].results.indicators[0], agencies=0, total=Decimal(0))
    changed = replace(INPUTS.results[0].results, indicators=(nobody,))
    of_nobody = figures.collect_figures(replace(INPUTS, results=(replace(INPUTS.results[0], results=changed),)))
    assert of_nobody[f"{PATH}/indicators/entrusted_local_budget/total"].value is None
    assert of_nobody[f"{PATH}/indicators/entrusted_local_budget/target_share"].value is None
