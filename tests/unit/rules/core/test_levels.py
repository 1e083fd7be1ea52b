"""Who stands above whom: escalation to the parent of the day, co-operating agencies, reports that compile others."""

import pytest

from schemas.content import compiled_parts
from schemas.plan.plan import Obligation
from schemas.plan.registry import Registry
from services.rules.core.alerts import plan_alerts
from services.rules.core.assess import assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from tests.support.assertions.spec import a_catalogue, a_fact, instant, list_alerts, wall
from tests.support.builders.plans import (
    Json,
    a_plan,
    a_registry,
    a_submission,
    a_version,
    an_agency,
    an_obligation,
)

TO_PARENT: Json = {"escalate": [{"after": "P7D", "to": "parent"}, {"after": "P14D", "to": "leaders"}]}


def escalations(registry: Registry) -> list[str]:
    """Return whom the escalations of the first agency's duty of 2024 go to, and when."""
    catalogue = a_catalogue(a_plan(an_obligation(a_version(reminders=TO_PARENT))), registry)
    duty = catalogue.duty(agency="x-mot", obligation="results", period="2024")
    return [f"{wall(one.at)} {one.to}" for one in plan_alerts(assess(duty, ()))]


class TestEscalation:
    """A step to the parent is for whoever stands above at its instant, and is left out where nobody does."""

    @pytest.mark.parametrize(
        "parent, is_sent",
        [
            ("h-mot", True),
            (None, False),
            ([{"id": "h-mot", "to": "2024-12-17"}], False),
            ([{"id": "h-mot", "to": "2024-12-18"}], True),
            ([{"id": "h-mot", "to": "2024-01-01"}, {"id": "tinh", "from": "2024-01-01"}], True),
        ],
    )
    def test_it_is_left_out_where_nobody_is_above_on_that_day(self, parent: object, *, is_sent: bool) -> None:
        """The step of 17 December follows the entry that holds on 17 December."""
        registry = a_registry(an_agency("tinh"), an_agency("h-mot"), an_agency("x-mot", parent=parent))
        expected = ["2024-12-17 00:00 parent"] if is_sent else []
        assert escalations(registry) == [*expected, "2024-12-24 00:00 leaders"]

    @pytest.mark.parametrize("how", ["valid", "succession"])
    def test_an_office_that_has_ended_is_never_asked(self, how: str) -> None:
        """The registry still names it, and it ended: by its own dates, or by an act alone."""
        ends: Json = {"valid": {"from": "2016-05-05", "to": "2024-07-01"}} if how == "valid" else {}
        act = {"type": "abolish", "from": ["h-mot"], "on": "2024-07-01"}
        registry = a_registry(an_agency("h-mot", **ends), an_agency("x-mot", parent="h-mot"), successions=[act])
        assert escalations(registry) == ["2024-12-24 00:00 leaders"]

    def test_a_step_that_waits_is_void_once_the_office_has_ended(self) -> None:
        """An office that ends on 1 January is not asked after it, however late the notifier comes to it."""
        ends = {"valid": {"from": "2016-05-05", "to": "2025-01-01"}}
        registry = a_registry(an_agency("h-mot", **ends), an_agency("x-mot", parent="h-mot"))
        catalogue = a_catalogue(a_plan(an_obligation(a_version(reminders=TO_PARENT))), registry)
        duty = catalogue.duty(agency="x-mot", obligation="results", period="2024")
        assert [wall(one.until) for one in plan_alerts(assess(duty, ()))] == ["2025-01-01 00:00", None]

    def test_agencies_with_different_parents_share_no_outcome(self) -> None:
        """The outcome of a duty without facts is kept for all that are bound alike; the parent is part of that."""
        registry = a_registry(an_agency("h-mot"), an_agency("x-mot", parent="h-mot"), an_agency("x-hai"))
        catalogue = a_catalogue(a_plan(an_obligation(a_version(reminders=TO_PARENT))), registry)
        agencies = ("x-mot", "x-hai")
        duties = [catalogue.shared_duty(agency=one, obligation="results", period="2024") for one in agencies]
        assert [len(one.without_facts.outcome.alerts) for one in duties] == [2, 1]


def a_joint_obligation(**changes: object) -> Obligation:
    """Build an obligation that so-tc leads, with so-khdt and the districts."""
    return an_obligation(lead="so-tc", **{"with": ["so-khdt", "huyen"]} | changes)


class TestLead:
    """The lead owes the report; who co-operates gets copies of reminders and urgings and owes nothing."""

    catalogue = a_catalogue(
        a_plan(a_joint_obligation()),
        a_registry(
            an_agency("so-tc", groups=[]),
            an_agency("so-khdt", groups=[]),
            an_agency("h-mot", groups=[{"id": "huyen", "to": "2024-12-10"}]),
        ),
    )

    def test_the_lead_alone_owes(self) -> None:
        """Of all agencies only the lead has a duty."""
        keys = self.catalogue.duties_opening_before(instant("2024-02-01 00:00"))
        assert {key.agency for key in keys} == {"so-tc"}

    def test_the_others_get_copies_while_they_co_operate(self) -> None:
        """A district is copied up to the day on which it leaves the group."""
        duty = self.catalogue.duty(agency="so-tc", obligation="results", period="2024")
        assert list_alerts(assess(duty, ())) == [
            ("2024-12-03 00:00", "reminder", "P7D", "h-mot"),
            ("2024-12-03 00:00", "reminder", "P7D", "self"),
            ("2024-12-03 00:00", "reminder", "P7D", "so-khdt"),
            ("2024-12-09 00:00", "reminder", "P1D", "h-mot"),
            ("2024-12-09 00:00", "reminder", "P1D", "self"),
            ("2024-12-09 00:00", "reminder", "P1D", "so-khdt"),
            ("2024-12-10 00:00", "urging", "PT0S", "self"),
            ("2024-12-10 00:00", "urging", "PT0S", "so-khdt"),
            ("2024-12-13 00:00", "urging", "P3D", "self"),
            ("2024-12-13 00:00", "urging", "P3D", "so-khdt"),
        ]

    def test_nobody_else_is_told_of_a_report_that_is_incomplete(self) -> None:
        """Copies are of reminders and urgings alone."""
        duty = self.catalogue.duty(agency="so-tc", obligation="results", period="2024")
        content: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
        event = a_submission(data={"agency": "so-tc", "content": content})
        found = list_alerts(assess(duty, [a_fact(event, "2024-12-02 08:00")]))
        assert [one for one in found if one[1] == "incomplete"] == [
            ("2024-12-02 08:00", "incomplete", "incomplete:s-1", "self")
        ]


def a_two_level_catalogue(**changes: object) -> DutyCatalogue:
    """Build a plan in which two districts compile what their communes report, for 2024."""
    communes = an_obligation(id="communes", addressees=["xa"])
    requires = {"sections": ["results"], "parts": "all"}
    compiling = an_obligation(
        a_version(requires=requires, due={"month": 12, "day": 20}),
        id="districts",
        compiles={"obligation": "communes", "of": "children"},
    )
    below = {"groups": [{"id": "xa"}], "parent": "h-mot"}
    moving = [{"id": "h-mot", "to": "2024-12-19"}, {"id": "h-hai", "from": "2024-12-19"}]
    registry = a_registry(
        an_agency("h-mot"),
        an_agency("h-hai"),
        an_agency("x-ba", **below, aliases=["Xã Ba"]),
        an_agency("x-mot", **below),
        an_agency("x-hai", **below | {"parent": moving}),
        an_agency("x-cu", **below | {"valid": {"from": "2016-05-05", "to": "2024-12-19"}}),
        an_agency("v-mot", **below | {"groups": []}),
        successions=[{"type": "abolish", "from": ["x-cu"], "on": "2024-12-19"}],
    )
    return a_catalogue(a_plan(communes, compiling, **changes), registry)


def a_compilation(*parts: str, nil_return: bool = False) -> Json:
    """Build the report of the first district that names *parts*."""
    content = {
        "nil_return": nil_return,
        "figures_as_of": None,
        "sections": {"results": "Đã tổng hợp"},
        "indicators": {},
        "parts": list(parts),
    }
    return a_submission("c-1", data={"obligation": "districts", "content": content})


class TestParts:
    """A compilation names every agency below on its last good day that owes the compiled report for the period."""

    def duty(self, agency: str = "h-mot", **changes: object) -> Duty:
        """Return the district's duty of 2024."""
        return a_two_level_catalogue(**changes).duty(agency=agency, obligation="districts", period="2024")

    def test_the_parts_are_those_below_on_the_last_good_day(self) -> None:
        """On 19 December x-hai is under the other district, x-cu has ended, and v-mot owes no such report."""
        parts = {one: [part.agency for part in self.duty(one).requirements.parts] for one in ("h-mot", "h-hai")}
        assert parts == {"h-mot": ["x-ba", "x-mot"], "h-hai": ["x-hai"]}

    def test_forms_and_sheets_ask_for_the_same_parts(self) -> None:
        """What plan and registry say of the parts is what rules requires."""
        catalogue = a_two_level_catalogue()
        for agency in ("h-mot", "h-hai"):
            duty = self.duty(agency)
            asked = compiled_parts.list_parts(catalogue.plan, catalogue.registry, duty.key)
            assert [one.agency for one in asked] == [one.agency for one in duty.requirements.parts]
            assert all(one.is_required for one in asked)

    @pytest.mark.parametrize(
        "parts, missing",
        [
            ((), ("parts.x-ba", "parts.x-mot")),
            (("x-mot",), ("parts.x-ba",)),
            (("x-mot", "Xã Ba"), ()),
            (("x-mot", "x-ba", "x-hai", "nobody"), ()),
        ],
    )
    def test_what_is_not_named_is_missing(self, parts: tuple[str, ...], missing: tuple[str, ...]) -> None:
        """A part counts by id or alias, and a name too many harms nothing; no report of a part is looked at."""
        found = assess(self.duty(), [a_fact(a_compilation(*parts), "2024-12-15 08:00")])
        assert found.timeline[-1].missing == missing

    def test_a_nil_return_names_nothing(self) -> None:
        """There is nothing to compile in a report that there is nothing to report."""
        found = assess(self.duty(), [a_fact(a_compilation(nil_return=True), "2024-12-15 08:00")])
        assert found.timeline[-1].missing == ()

    def test_nobody_is_a_part_who_was_not_tracked(self) -> None:
        """What the communes owed by 9 December is not watched before the 15th, so they owe no part."""
        assert self.duty(tracked_from="2024-12-15").requirements.parts == ()


class TestTrackedFrom:
    """What was due before the tracking does not apply; what was reported of it is kept."""

    def duty(self, tracked_from: str, *, period: str | None = "2024", version: Json | None = None) -> Duty:
        """Return the first agency's duty under a plan that is tracked from that day on."""
        catalogue = a_catalogue(a_plan(an_obligation(version or a_version()), tracked_from=tracked_from))
        return catalogue.duty(agency="h-mot", obligation="results", period=period)

    @pytest.mark.parametrize("tracked_from, status", [("2024-12-09", "overdue"), ("2024-12-10", "not_applicable")])
    def test_the_last_good_day_decides(self, tracked_from: str, status: str) -> None:
        """Due at midnight after 9 December, the duty is watched from 9 December on and not from the 10th on."""
        assert assess(self.duty(tracked_from), ()).at(instant("2025-01-01 00:00")).status == status

    def test_a_report_is_kept_and_changes_no_status(self) -> None:
        """The submission that stands is named, for comparisons; nobody is alerted."""
        found = assess(self.duty("2024-12-10"), [a_fact(a_submission(), "2024-12-01 08:00")])
        (last,) = [one for one in found.timeline if one.standing is not None]
        assert (last.status, last.submissions, last.flags) == ("not_applicable", 1, ())
        assert plan_alerts(found) == ()

    def test_no_untracked_duty_is_expected(self) -> None:
        """The horizon makes no duty of the years before."""
        catalogue = a_catalogue(a_plan(tracked_from="2024-01-01"))
        keys = catalogue.duties_opening_before(instant("2025-02-01 00:00"))
        assert {key.period for key in keys} == {"2024", "2025"}

    def test_a_duty_without_a_date_is_not_touched(self) -> None:
        """Nobody can say when it was due."""
        version = a_version(recurrence="none", due=None, reminders={})
        duty = self.duty("2030-01-01", period=None, version=version)
        assert assess(duty, ()).at(instant("2025-01-01 00:00")).status == "open"
