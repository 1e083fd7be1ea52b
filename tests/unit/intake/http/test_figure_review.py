"""A dry run names the figures that look like a slip, by the plan that asks for them, in both languages."""

import json

import msgspec

from services.intake.http.figure_review import FigureReview
from services.intake.published_plans import SnapshotPlans
from services.runtime.clock import SystemClock
from tests.support.builders.plans import (
    AGENCIES,
    GROUP,
    Json,
    a_plan,
    a_registry,
    a_submission,
    a_version,
    a_withdrawal,
    an_agency,
    an_obligation,
)

INDICATORS = [
    {"code": "loans", "title": {"vi": "Dư nợ", "en": "Loans"}, "asked_of": [GROUP]},
    {"code": "overdue", "title": {"vi": "Nợ quá hạn", "en": "Overdue"}},
    {"code": "ratio", "unit": "percent", "kind": "ratio", "formula": "overdue * 100 / loans", "max": 10},
]
SEGMENT = {"segment": {"due_at": "2024-12-10T00:00:00+07:00"}}


def make_review() -> FigureReview:
    """Return a review by the usual plan, which asks its agencies for loans and overdue debt."""
    plan = a_plan(an_obligation(a_version(accepts={"indicators": ["loans", "overdue"]})), indicators=INDICATORS)
    registry = a_registry(an_agency(AGENCIES[0], aliases=["ten-cu"]), an_agency(AGENCIES[1], groups=[]))
    plans = SnapshotPlans()
    snapshot = {
        "plans": [plan.model_dump(mode="json", by_alias=True)],
        "registries": [registry.model_dump(mode="json", by_alias=True)],
    }
    plans.load(json.dumps(snapshot).encode())
    return FigureReview(plans=plans, clock=SystemClock())


def review(figures: Json, *, assessment: Json = SEGMENT, is_nil: bool = False, **data: str) -> list[dict[str, object]]:
    """Return the findings about a report of the first agency with *figures*; *data* changes its data."""
    content = {"nil_return": is_nil, "figures_as_of": None, "sections": {}, "indicators": figures}
    event = a_submission(data={"content": content, **data})
    return make_review().find_slips(msgspec.json.encode(event), assessment)


def test_a_slip_is_named_with_its_place_and_in_both_languages() -> None:
    """A ratio that either of two figures may have put out of range is named by its own code."""
    (finding,) = review({"loans": "512.5", "overdue": 600})
    assert (finding["code"], finding["kind"]) == ("ratio", "thousandfold")
    assert finding["pointer"] == "/data/content/indicators/ratio"
    detail = finding["detail"]
    assert isinstance(detail, dict)
    assert "“Nợ quá hạn” hoặc “Dư nợ”" in detail["vi"]
    assert "“Overdue” or “Loans”" in detail["en"]


def test_usual_figures_and_a_nil_return_have_none() -> None:
    """Nor has a report of a plan that is not published, or an event that is no report."""
    assert review({"loans": 512000, "overdue": 600}) == []
    assert review({"loans": 512, "overdue": 600}, is_nil=True) == []
    assert review({"loans": 512, "overdue": 600}, plan="OTHER") == []
    assert review({"loans": 512, "overdue": 600}, obligation="other") == []
    assert make_review().find_slips(msgspec.json.encode(a_withdrawal("w-1", "s-1")), SEGMENT) == []


def test_only_what_an_agency_is_asked_for_is_reviewed() -> None:
    """One outside the group that is asked for loans has no ratio of them; an alias stands for its agency."""
    slip = {"loans": 512, "overdue": 600}
    assert review(slip, agency=AGENCIES[1]) == []
    assert len(review(slip, agency="ten-cu")) == 1
    assert len(review(slip, agency=AGENCIES[1], on_behalf_of=AGENCIES[0])) == 1


def test_a_duty_that_rules_does_not_know_is_reviewed_by_its_period() -> None:
    """Where rules has no segment to answer, the version of the period's last day asks for the figures."""
    assert len(review({"loans": 512, "overdue": 600}, assessment={"segment": None})) == 1
