"""Admission: whether a fact can be true of the plan and the registry, and whose duty it is about."""

from typing import Any

import pytest

from schemas.events.facts import MODEL_OF
from schemas.plan.registry import Succession
from schemas.plan.values import Bilingual
from services.intake.core import admission
from services.intake.core.admission import Admission, AdmissionResult, InvalidEvent, OutOfScope, duty_reference_of
from services.intake.core.plan_index import PlanIndex, build_plan_index
from services.intake.core.scopes import KeyScope
from tests.support.builders import plans
from tests.support.builders.keys import a_scope
from tests.support.builders.plans import Json, a_plan, a_registry, a_version, an_agency, an_obligation

EVERYBODY = a_scope(may_decide=True)
MONTHLY, ONE_OFF, MIXED, CHOSEN = "monthly", "one-off", "mixed", "chosen"
ALIAS = "Huyện Một cũ"


class OnePlan:
    """One plan with three kinds of obligation, and a registry with an alias and a chain of successions."""

    def __init__(self) -> None:
        plan = a_plan(
            an_obligation(),
            an_obligation(a_version(recurrence="month", due=None, reminders={}), id=MONTHLY),
            an_obligation(a_version(recurrence="once", due=None, reminders={}), id=ONE_OFF),
            an_obligation(
                a_version(recurrence="year", to="2020-01-01"),
                a_version(**{"from": "2020-01-01"}, recurrence="once", due=None, reminders={}),
                id=MIXED,
            ),
            an_obligation(
                a_version(recurrence="half-year", only=["H1"], due={}, reminders={}),
                a_version(recurrence="nine-month", due={}, reminders={}),
                a_version(recurrence="week", due={}, reminders={}),
                id=CHOSEN,
            ),
        )
        registry = a_registry(
            an_agency("h-mot", aliases=[ALIAS]),
            *(an_agency(name) for name in ("h-hai", "h-ba")),
            successions=[
                Succession.model_validate(
                    {"type": "merge_into", "from": ["h-ba"], "to": ["h-hai"], "on": "2020-01-01"}
                ),
                Succession.model_validate(
                    {"type": "merge_into", "from": ["h-hai"], "to": ["h-mot"], "on": "2025-01-01"}
                ),
            ],
        )
        self._index = build_plan_index(plan, registry)

    def index_of(self, plan_id: str) -> PlanIndex | None:
        """Return the one plan."""
        return self._index if plan_id == self._index.plan_id else None


def admit(event: Json, *, subject: str | None = None, scope: KeyScope = EVERYBODY) -> AdmissionResult:
    """Decide on the data of *event*."""
    fact = MODEL_OF[event["type"]].model_validate(event["data"])
    return admission.admit(duty_reference_of(fact), subject, plans=OnePlan(), scope=scope)


def a_report(**data: Any) -> Json:
    """Build a submission with changed data; None removes a field."""
    event = plans.a_submission()
    event["data"] = {name: value for name, value in (event["data"] | data).items() if value is not None}
    return event


def pointers(result: AdmissionResult) -> list[str]:
    """Return the pointers of the errors of an invalid event."""
    assert isinstance(result, InvalidEvent)
    return [error.pointer for error in result.errors]


def test_a_report_of_a_bound_agency_is_admitted_under_its_id() -> None:
    """The agency that sends a report of its own is also the agency that owes the duty."""
    assert admit(a_report()) == Admission(agency="h-mot", duty_agency="h-mot")


def test_an_alias_stands_for_the_permanent_id() -> None:
    """An alias is resolved in the data and in the subject."""
    assert admit(a_report(agency=ALIAS), subject=ALIAS) == Admission(agency="h-mot", duty_agency="h-mot")


@pytest.mark.parametrize("predecessor", ["h-hai", "h-ba"])
def test_a_successor_may_file_for_a_predecessor(predecessor: str) -> None:
    """Any number of successions may lie between the two, and the duty stays that of the predecessor."""
    assert admit(a_report(on_behalf_of=predecessor)) == Admission(agency="h-mot", duty_agency=predecessor)


@pytest.mark.parametrize("subject", ["h-mot", "h-hai"])
def test_the_subject_may_name_either_of_the_two(subject: str) -> None:
    """The subject is the agency that sends, or the one on whose behalf it sends."""
    assert isinstance(admit(a_report(on_behalf_of="h-hai"), subject=subject), Admission)


@pytest.mark.parametrize(
    "data,pointer",
    [
        ({"plan": "P-2"}, "/data/plan"),
        ({"obligation": "other"}, "/data/obligation"),
        ({"agency": "h-bon"}, "/data/agency"),
        ({"on_behalf_of": "h-bon"}, "/data/on_behalf_of"),
        ({"agency": "h-ba", "on_behalf_of": "h-mot"}, "/data/on_behalf_of"),
        ({"period": None}, "/data/period"),
        ({"period": "2024-07"}, "/data/period"),
        ({"obligation": MONTHLY}, "/data/period"),
        ({"obligation": ONE_OFF}, "/data/period"),
        ({"obligation": MIXED, "period": "2024-Q1"}, "/data/period"),
        ({"obligation": CHOSEN, "period": "2024-H2"}, "/data/period"),
    ],
)
def test_what_contradicts_the_plan_or_registry_is_named(data: Json, pointer: str) -> None:
    """The pointer leads to the value that contradicts the plan or the registry."""
    assert pointers(admit(a_report(**data))) == [pointer]


@pytest.mark.parametrize(
    "data",
    [
        {"obligation": MONTHLY, "period": "2024-07"},
        {"obligation": ONE_OFF, "period": None},
        {"obligation": MIXED, "period": "2019"},
        {"obligation": MIXED, "period": None},
        {"obligation": CHOSEN, "period": "2024-H1"},
        {"obligation": CHOSEN, "period": "2024-9M"},
        {"obligation": CHOSEN, "period": "2024-W07"},
    ],
)
def test_a_period_that_fits_any_version_is_admitted(data: Json) -> None:
    """A period needs to fit one version of the obligation; which version applies is for rules to decide."""
    assert isinstance(admit(a_report(**data)), Admission)


def test_the_parts_of_the_year_that_are_asked_for_are_named() -> None:
    """Who reports for the second half-year, which nobody asks for, is told what would fit."""
    refused = admit(a_report(obligation=CHOSEN, period="2024-H2"))
    assert isinstance(refused, InvalidEvent)
    assert [str(one.detail.en) for one in refused.errors if isinstance(one.detail, Bilingual)] == [
        "2024-H2 does not fit this obligation; write YYYY-H1 / YYYY-9M / YYYY-W01"
    ]


@pytest.mark.parametrize("subject", ["h-hai", "nobody"])
def test_a_subject_other_than_the_agency_is_refused(subject: str) -> None:
    """An event cannot be about two agencies."""
    assert pointers(admit(a_report(), subject=subject)) == ["/subject"]


def test_all_errors_are_reported_at_once() -> None:
    """The sender can correct all errors before sending again."""
    found = pointers(admit(a_report(on_behalf_of="h-bon", period="2024-07"), subject="h-hai"))
    assert found == ["/subject", "/data/on_behalf_of", "/data/period"]


def test_a_reassignment_is_held_to_both_its_periods() -> None:
    """Each of the two periods of a reassignment must fit the obligation."""
    data = {"plan": "P-1", "obligation": "results", "agency": "h-mot", "submission": "s-1", "reason": "nhầm kỳ"}
    event = plans.an_event(
        "vn.dondoc.report.reassigned.v1", "r-1", {**data, "from_period": "2023", "to_period": "2024-Q1"}
    )
    assert pointers(admit(event)) == ["/data/to_period"]


def test_an_exemption_ends_after_it_begins() -> None:
    """An exemption over an empty interval would exempt nobody, so it is invalid."""
    event = plans.an_exemption("e-1", "2024-12-01T00:00:00+07:00", "2024-12-01T00:00:00+07:00")
    assert pointers(admit(event)) == ["/data/until"]


def test_a_key_speaks_only_for_its_agencies() -> None:
    """A key covers agencies by id or alias, or by a group that they belong to."""
    own = a_scope(agencies=frozenset({"h-hai"}))
    group = a_scope(agencies=frozenset(), groups=frozenset({plans.GROUP}))
    assert isinstance(admit(a_report(), scope=own), OutOfScope)
    assert isinstance(admit(a_report(), scope=group), Admission)
    assert isinstance(admit(a_report(agency="h-hai"), scope=own), Admission)
    former = a_scope(agencies=frozenset({ALIAS}))
    assert isinstance(admit(a_report(agency="h-mot"), scope=former), Admission)
    assert isinstance(admit(a_report(agency="h-hai"), scope=former), OutOfScope)
