"""Who the agencies are over time, and what becomes of their duties when they merge, split or end (ruling 7)."""

from datetime import date

import pytest

from schemas.plan.registry import Registry
from services.rules.core.agencies import Agencies
from tests.support.assertions.spec import a_book, a_duty, at, decided, history, received, undated, wall
from tests.support.builders.plans import (
    GROUP,
    SINCE,
    Json,
    a_plan,
    a_registry,
    a_submission,
    a_version,
    an_agency,
    an_extension,
    an_obligation,
)

ENDS = "2024-07-01"
MERGED: Json = {"type": "merge_into", "from": ["h-mot"], "to": ["h-hai"], "on": ENDS}


def merged(*successions: Json, on: str = ENDS) -> Registry:
    """A registry in which the first agency ends on a day, by *successions* (else merged into the second)."""
    acts = list(successions) or [MERGED | {"on": on}]
    agencies = [an_agency("h-mot", valid={"from": SINCE, "to": on}), an_agency("h-hai"), an_agency("h-ba")]
    return a_registry(*agencies, successions=acts)


class TestIdentity:
    """Identity, not name, carries a duty."""

    def test_an_alias_leads_to_the_permanent_id(self) -> None:
        """A code from an exchange or an older spelling is the same agency; a stranger is nobody."""
        agencies = Agencies(a_registry(an_agency("h-mot", aliases=["000.00.12.H56"])))
        assert [agencies.resolve(one) for one in ("000.00.12.H56", "h-mot", "h-bon")] == ["h-mot", "h-mot", None]

    def test_a_rename_changes_nothing(self) -> None:
        """Tĩnh Gia became Nghi Sơn in mid-year and owes one report for the year."""
        names = [{"vi": "Tĩnh Gia", "from": SINCE, "to": "2020-06-01"}, {"vi": "Nghi Sơn", "from": "2020-06-01"}]
        duty = a_duty(registry=a_registry(an_agency("h-mot", names=names)), period="2020")
        report = received(a_submission(data={"period": "2020"}), "2020-12-01 08:00")
        assert history(duty, report)[-1] == ("2020-12-01 08:00", "on_time")

    def test_a_fact_by_alias_is_filed_under_the_id(self) -> None:
        """The book resolves the sender's name and the one it files for."""
        book = a_book(registry=a_registry(an_agency("h-mot", aliases=["H56.1"]), an_agency("h-hai", aliases=["H56.2"])))
        event = a_submission(data={"agency": "H56.2", "on_behalf_of": "H56.1"})
        fact = book.resolve_names(received(event, "2024-12-01 08:00"))
        assert (fact.agency, getattr(fact, "filed_by", None)) == ("h-mot", "h-hai")

    def test_the_parent_is_whom_the_registry_names(self) -> None:
        """Escalation goes there."""
        agencies = Agencies(a_registry(an_agency("tinh"), an_agency("h-mot", parent="tinh")))
        assert [agencies.parent(one) for one in agencies] == [None, "tinh"]


class TestMergedBeforeDue:
    """The predecessor's open duty passes to the successor, who owes one itself."""

    def test_the_open_duty_is_superseded_on_the_day_of_the_act(self) -> None:
        """Pending until then, superseded afterwards, never overdue."""
        assert history(a_duty(registry=merged())) == [
            ("2024-01-01 00:00", "pending"),
            ("2024-07-01 00:00", "superseded"),
        ]

    def test_the_flag_names_the_heir(self) -> None:
        """Who looks at the predecessor learns where the duty went."""
        assert at("2024-08-01 00:00", a_duty(registry=merged())).flags == ("inherited_by_h-hai",)

    def test_the_successor_owes_its_own(self) -> None:
        """One duty, due as ever."""
        assert history(a_duty(registry=merged(), agency="h-hai")) == [
            ("2024-01-01 00:00", "pending"),
            ("2024-12-10 00:00", "overdue"),
        ]

    def test_a_duty_discharged_before_the_end_stays_discharged(self) -> None:
        """Done is done; the flag says that the filing outlived its agency."""
        duty = a_duty(registry=merged())
        report = received(a_submission(), "2024-06-30 23:59")
        assert history(duty, report)[-1] == ("2024-06-30 23:59", "on_time")
        assert at("2024-12-31 00:00", duty, report).flags == ("filing_kept",)

    def test_an_incomplete_filing_before_the_end_is_kept_but_the_duty_passes_on(self) -> None:
        """What was sent stays visible."""
        duty = a_duty(registry=merged())
        content: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
        report = received(a_submission(data={"content": content}), "2024-06-01 08:00")
        found = at("2024-12-31 00:00", duty, report)
        assert (found.status.value, found.flags) == ("superseded", ("filing_kept", "inherited_by_h-hai"))
        assert (found.submissions, found.missing) == (1, ("sections.results",))

    def test_a_report_after_the_end_discharges_nothing(self) -> None:
        """The agency is no more; its heir reports under its own name."""
        report = received(a_submission(), "2024-08-01 08:00")
        assert history(a_duty(registry=merged()), report)[-1] == ("2024-07-01 00:00", "superseded")

    def test_an_extension_past_the_end_lets_the_duty_pass_on_then(self) -> None:
        """With the later due instant the agency ends before it is due."""
        duty = a_duty(registry=merged(on="2024-12-20"))
        event = decided(an_extension("x-1", "2024-12-31T00:00:00+07:00"), "2024-12-01")
        assert history(duty, received(event, "2024-12-01 08:00"))[-1] == ("2024-12-20 00:00", "superseded")


class TestMergedAfterDue:
    """The predecessor's state stays, and the successor may file on its behalf."""

    registry = merged(on="2025-03-01")

    def test_an_overdue_report_stays_overdue(self) -> None:
        """The merger wipes nothing out."""
        assert history(a_duty(registry=self.registry))[-1] == ("2024-12-10 00:00", "overdue")

    def test_an_agency_that_ends_as_the_duty_falls_due_keeps_its_state(self) -> None:
        """It was there at the last instant before due."""
        assert history(a_duty(registry=merged(on="2024-12-10")))[-1] == ("2024-12-10 00:00", "overdue")

    def test_the_successor_files_on_behalf_of_it(self) -> None:
        """The report counts for the predecessor, and the flag says who sent it."""
        event = a_submission(data={"agency": "h-hai", "on_behalf_of": "h-mot"})
        found = at("2025-04-01 00:00", a_duty(registry=self.registry), received(event, "2025-03-02 08:00"))
        assert (found.status.value, found.flags) == ("late", ("filed_by_successor",))

    def test_what_both_filed_is_on_one_file(self) -> None:
        """The successor corrects what the predecessor sent, with nothing to report."""
        nil: Json = {"nil_return": True, "figures_as_of": None, "sections": {}, "indicators": {}}
        first = received(a_submission("s-1"), "2024-12-01 08:00")
        event = a_submission(
            "s-2", data={"agency": "h-hai", "on_behalf_of": "h-mot", "corrects": "s-1", "content": nil}
        )
        found = at("2025-04-01 00:00", a_duty(registry=self.registry), first, received(event, "2025-03-02 08:00"))
        assert found.flags == ("amended_after_deadline", "filed_by_successor", "nil_return")

    def test_a_stranger_s_report_on_its_behalf_counts_for_nothing(self) -> None:
        """Only the line of successors may file for it."""
        event = a_submission(data={"agency": "h-ba", "on_behalf_of": "h-mot"})
        assert history(a_duty(registry=self.registry), received(event, "2024-12-01 08:00"))[-1][1] == "overdue"

    def test_a_successor_s_successor_may_file_too(self) -> None:
        """The line runs on over several acts."""
        acts = [
            MERGED | {"on": "2025-01-01"},
            {"type": "merge_new", "from": ["h-hai"], "to": ["h-ba"], "on": "2025-07-01"},
        ]
        event = a_submission(data={"agency": "h-ba", "on_behalf_of": "h-mot"})
        duty = a_duty(registry=merged(*acts, on="2025-01-01"))
        assert history(duty, received(event, "2025-08-01 08:00"))[-1][1] == "late"


class TestEnds:
    """Other ways in which an agency ends."""

    def test_an_abolished_agency_leaves_nobody_owing(self) -> None:
        """No heir without a new decision."""
        abolished = merged({"type": "abolish", "from": ["h-mot"], "to": [], "on": ENDS})
        assert history(a_duty(registry=abolished))[-1] == ("2024-07-01 00:00", "ended_no_successor")

    def test_a_split_has_several_heirs(self) -> None:
        """Each owes one, and the flags name them in the act's order."""
        split = merged({"type": "split", "from": ["h-mot"], "to": ["h-ba", "h-hai"], "on": ENDS})
        assert at("2024-08-01 00:00", a_duty(registry=split)).flags == ("inherited_by_h-ba", "inherited_by_h-hai")

    def test_an_heir_outside_the_addressed_groups_owes_nothing(self) -> None:
        """Taking over functions inherits no duty: with no bound heir there is no successor."""
        heir = an_agency("h-hai", groups=[])
        registry = a_registry(an_agency("h-mot", valid={"from": SINCE, "to": ENDS}), heir, successions=[MERGED])
        assert history(a_duty(registry=registry))[-1][1] == "ended_no_successor"

    def test_an_unbound_heir_passes_the_duty_on_to_its_own(self) -> None:
        """Merged, then merged again before due: the last one owes."""
        acts = [MERGED, {"type": "merge_new", "from": ["h-hai"], "to": ["h-ba"], "on": "2024-10-01"}]
        assert at("2024-12-31 00:00", a_duty(registry=merged(*acts))).flags == ("inherited_by_h-ba",)

    def test_a_circle_of_successions_ends_the_search(self) -> None:
        """An impossible record gives no heir, not a hang."""
        acts = [MERGED, {"type": "merge_into", "from": ["h-hai"], "to": ["h-mot"], "on": "2024-08-01"}]
        assert at("2024-12-31 00:00", a_duty(registry=merged(*acts))).status.value == "ended_no_successor"
        assert Agencies(merged(*acts)).successors("h-mot") == {"h-hai"}

    def test_an_act_ends_an_agency_whose_entry_does_not_say_so(self) -> None:
        """The succession's date is enough."""
        registry = a_registry(an_agency("h-mot"), an_agency("h-hai"), successions=[MERGED])
        assert Agencies(registry).lifetime("h-mot").to == date(2024, 7, 1)
        assert history(a_duty(registry=registry))[-1] == ("2024-07-01 00:00", "superseded")

    def test_an_agency_that_takes_part_and_goes_on_does_not_end(self) -> None:
        """Among its own heirs it survives the act."""
        act = {"type": "merge_into", "from": ["h-mot", "h-hai"], "to": ["h-hai"], "on": ENDS}
        assert Agencies(merged(act)).lifetime("h-hai").to == date.max


class TestUndated:
    """A duty without a date binds while the membership lasts."""

    def test_leaving_the_group_ends_a_continuous_duty(self) -> None:
        """The agency lives on; the duty does not apply to it any more."""
        leaver = an_agency("h-mot", groups=[{"id": GROUP, "from": SINCE, "to": "2020-01-01"}])
        duty = a_duty(undated(), registry=a_registry(leaver), period=None)
        assert history(duty) == [("2016-05-05 00:00", "open"), ("2020-01-01 00:00", "not_applicable")]

    def test_a_continuous_duty_passes_on_when_the_agency_ends(self) -> None:
        """The successor has its own from the beginning of its membership."""
        duty = a_duty(undated(), registry=merged(), period=None)
        assert history(duty) == [("2016-05-05 00:00", "open"), ("2024-07-01 00:00", "superseded")]

    def test_a_yearly_duty_without_a_date_binds_who_is_a_member_at_the_year_s_end(self) -> None:
        """An agency that ends in mid-year hands it on; in the year before it was its own."""
        duties = [a_duty(a_version(due=None), registry=merged(), period=period) for period in ("2023", "2024")]
        assert [history(duty)[-1][1] for duty in duties] == ["open", "superseded"]


def test_an_agency_that_ended_before_the_period_owes_nothing() -> None:
    """The year after its end is no longer its own."""
    assert not a_duty(registry=merged(), period="2025").is_binding


class TestMembership:
    """Ruling 8: a member at the last instant before due is bound, from the day it became one."""

    @pytest.mark.parametrize(
        "rule, stays, expected",
        [
            ("a member all year", [("2016-05-05", None)], "2024-01-01 00:00"),
            ("a member since September", [("2024-09-01", None)], "2024-09-01 00:00"),
            ("a member since the last good day", [("2024-12-09", None)], "2024-12-09 00:00"),
            ("a member from the due day on", [("2024-12-10", None)], None),
            ("left before due", [("2016-05-05", "2024-12-09")], None),
            ("left as the duty falls due", [("2016-05-05", "2024-12-10")], "2024-01-01 00:00"),
            ("left before the period began", [("2016-05-05", "2023-06-01")], None),
            ("left and came back", [("2016-05-05", "2024-03-01"), ("2024-06-01", None)], "2024-06-01 00:00"),
            ("two stays that touch are one", [("2016-05-05", "2024-03-01"), ("2024-03-01", None)], "2024-01-01 00:00"),
            ("never a member", [], None),
        ],
    )
    def test_membership_decides_at_the_last_instant_before_due(
        self, rule: str, stays: list[tuple[str, str | None]], expected: str | None
    ) -> None:
        """The duty opens with the membership that lasts until due, or never."""
        groups = [{"id": GROUP, "from": from_, "to": to} for from_, to in stays]
        assert wall(a_duty(registry=a_registry(an_agency("h-mot", groups=groups))).opens_at) == expected, rule

    def test_who_is_not_bound_has_no_timeline(self) -> None:
        """At any time the answer is: not applicable."""
        duty = a_duty(registry=a_registry(an_agency("h-mot", groups=[])))
        assert history(duty) == []
        assert at("2024-12-31 00:00", duty).status.value == "not_applicable"

    def test_before_it_opens_a_duty_does_not_apply(self) -> None:
        """In November nobody owes next year's report."""
        assert at("2023-11-01 00:00", a_duty()).status.value == "not_applicable"

    def test_an_agency_addressed_by_name_needs_no_group(self) -> None:
        """The recipient of a single duty is bound as long as it exists."""
        registry = a_registry(an_agency("bank", groups=[]))
        duty = a_duty(obligation=an_obligation(addressees=["bank"]), registry=registry, agency="bank")
        assert history(duty)[0] == ("2024-01-01 00:00", "pending")

    def test_a_group_that_is_not_addressed_binds_nobody(self) -> None:
        """Other memberships have no say."""
        groups = [{"id": "so", "from": SINCE}, {"id": GROUP, "from": "2024-05-01"}]
        assert wall(a_duty(registry=a_registry(an_agency("h-mot", groups=groups))).opens_at) == "2024-05-01 00:00"

    def test_an_agency_is_no_member_before_it_exists(self) -> None:
        """A membership without dates is as long as the agency's life."""
        new = an_agency("h-mot", valid={"from": "2024-03-01"}, groups=[{"id": GROUP}])
        assert wall(a_duty(registry=a_registry(new)).opens_at) == "2024-03-01 00:00"


def test_the_plan_s_own_date_opens_what_began_before_it() -> None:
    """An obligation dated before the plan binds from the plan's issue."""
    obligation = an_obligation(a_version(**{"from": "2010-01-01"}))
    duty = a_book(a_plan(obligation)).duty(agency="h-mot", obligation="results", period="2016")
    assert wall(duty.opens_at) == "2016-05-05 00:00"
