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
