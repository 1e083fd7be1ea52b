"""Who the agencies are over time, what becomes of their duties when they end, and whom a duty binds (rulings 7, 8)."""

import unicodedata
from datetime import date

import pytest

from schemas.plan.registry import Registry
from services.rules.core.agencies import Agencies
from tests.support.assertions.spec import (
    a_catalogue,
    a_duty,
    a_fact,
    an_undated_version,
    segment_at,
    status_history,
    wall,
    with_decision_date,
)
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


def a_merged_registry(*successions: Json, on: str = ENDS) -> Registry:
    """Build a registry in which the first agency ends on a day, by *successions* (else merged into the second)."""
    acts = list(successions) or [MERGED | {"on": on}]
    agencies = [an_agency("h-mot", valid={"from": SINCE, "to": on}), an_agency("h-hai"), an_agency("h-ba")]
    return a_registry(*agencies, successions=acts)


class TestIdentity:
    """Ruling 7: the identity of an agency carries a duty, not its name."""

    def test_an_alias_leads_to_the_permanent_id(self) -> None:
        """An alias (a code of the exchange, an older spelling) resolves to the id; an unknown name resolves to None."""
        agencies = Agencies(a_registry(an_agency("h-mot", aliases=["000.00.12.H56"])))
        assert [agencies.resolve(one) for one in ("000.00.12.H56", "h-mot", "h-bon")] == [
            "h-mot",
            "h-mot",
            None,
        ]

    def test_a_rename_changes_nothing(self) -> None:
        """An agency renamed in mid-year, as Tĩnh Gia became Nghi Sơn, owes one report for the year."""
        names = [{"vi": "Tĩnh Gia", "from": SINCE, "to": "2020-06-01"}, {"vi": "Nghi Sơn", "from": "2020-06-01"}]
        duty = a_duty(registry=a_registry(an_agency("h-mot", names=names)), period="2020")
        report = a_fact(a_submission(data={"period": "2020"}), "2020-12-01 08:00")
        assert status_history(duty, report)[-1] == ("2020-12-01 08:00", "on_time")

    def test_an_alias_is_found_in_either_unicode_form(self) -> None:
        """Facts of old and registries of old may hold decomposed letters."""
        composed, decomposed = (unicodedata.normalize(form, "Sở Tư pháp") for form in ("NFC", "NFD"))
        for alias in (composed, decomposed):
            registry = a_registry(an_agency("so-tp", aliases=[alias]))
            assert [Agencies(registry).resolve(one) for one in (composed, decomposed)] == ["so-tp", "so-tp"]
            assert [registry.resolve(one) for one in (composed, decomposed)] == ["so-tp", "so-tp"]

    def test_a_fact_by_alias_is_filed_under_the_id(self) -> None:
        """The catalogue resolves the alias of the sender and that of the agency it files for."""
        catalogue = a_catalogue(
            registry=a_registry(an_agency("h-mot", aliases=["H56.1"]), an_agency("h-hai", aliases=["H56.2"]))
        )
        event = a_submission(data={"agency": "H56.2", "on_behalf_of": "H56.1"})
        fact = catalogue.resolve_names(a_fact(event, "2024-12-01 08:00"))
        assert (fact.agency, getattr(fact, "filed_by", None)) == ("h-mot", "h-hai")

    def test_who_is_above_depends_on_the_day_and_an_office_that_ended_is_above_nobody(self) -> None:
        """A dated parent holds on its days alone, and neither an agency nor the office above outlives its own end."""
        agencies = Agencies(
            a_registry(
                an_agency("tinh"),
                an_agency("h-mot", valid={"from": "2016-05-05", "to": "2025-07-01"}, parent="tinh"),
                an_agency("x-mot", parent=[{"id": "h-mot", "to": "2026-01-01"}, {"id": "tinh", "from": "2026-03-01"}]),
            )
        )
        days = [date(2025, 6, 30), date(2025, 7, 1), date(2026, 2, 1), date(2026, 3, 1)]
        found = {one: [_name_superior(agencies, one, day) for day in days] for one in agencies}
        assert found == {
            "tinh": [None, None, None, None],
            "h-mot": ["tinh", None, None, None],
            "x-mot": ["h-mot", None, None, "tinh"],
        }
        assert [list(agencies.children_on("tinh", day)) for day in days] == [["h-mot"], [], [], ["x-mot"]]


def _name_superior(agencies: Agencies, agency: str, day: date) -> str | None:
    return next((one.agency for one in agencies.superiors(agency) if one.dates.contains(day)), None)


class TestMergedBeforeDue:
    """Ruling 7: merged before due, the predecessor's open duty is superseded and the successor owes one."""

    def test_the_open_duty_is_superseded_on_the_day_of_the_act(self) -> None:
        """The duty is pending until the day of the merger and superseded from then on; it is never overdue."""
        assert status_history(a_duty(registry=a_merged_registry())) == [
            ("2024-01-01 00:00", "pending"),
            ("2024-07-01 00:00", "superseded"),
        ]

    def test_the_flag_names_the_heir(self) -> None:
        """The flag `inherited_by_ID` on the predecessor's duty names the agency that owes it now."""
        assert segment_at("2024-08-01 00:00", a_duty(registry=a_merged_registry())).flags == ("inherited_by_h-hai",)

    def test_the_successor_owes_its_own(self) -> None:
        """The successor has one duty of its own, which falls due when the plan says."""
        assert status_history(a_duty(registry=a_merged_registry(), agency="h-hai")) == [
            ("2024-01-01 00:00", "pending"),
            ("2024-12-10 00:00", "overdue"),
        ]

    def test_a_duty_discharged_before_the_end_stays_discharged(self) -> None:
        """A duty discharged before the agency's end keeps its status, with the flag `filing_kept`."""
        duty = a_duty(registry=a_merged_registry())
        report = a_fact(a_submission(), "2024-06-30 23:59")
        assert status_history(duty, report)[-1] == ("2024-06-30 23:59", "on_time")
        assert segment_at("2024-12-31 00:00", duty, report).flags == ("filing_kept",)

    def test_an_incomplete_filing_before_the_end_is_kept_but_the_duty_passes_on(self) -> None:
        """An incomplete filing stays visible with its missing parts, and the open duty is superseded all the same."""
        duty = a_duty(registry=a_merged_registry())
        content: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
        report = a_fact(a_submission(data={"content": content}), "2024-06-01 08:00")
        found = segment_at("2024-12-31 00:00", duty, report)
        assert (found.status.value, found.flags) == ("superseded", ("filing_kept", "inherited_by_h-hai"))
        assert (found.submissions, found.missing) == (1, ("sections.results",))

    def test_a_report_after_the_end_discharges_nothing(self) -> None:
        """A report received after the agency's end does not discharge the superseded duty."""
        report = a_fact(a_submission(), "2024-08-01 08:00")
        assert status_history(a_duty(registry=a_merged_registry()), report)[-1] == ("2024-07-01 00:00", "superseded")

    def test_an_extension_past_the_end_lets_the_duty_pass_on_then(self) -> None:
        """An extension past the agency's end makes the agency end before due, so the duty is superseded then."""
        duty = a_duty(registry=a_merged_registry(on="2024-12-20"))
        event = with_decision_date(an_extension("x-1", "2024-12-31T00:00:00+07:00"), "2024-12-01")
        assert status_history(duty, a_fact(event, "2024-12-01 08:00"))[-1] == ("2024-12-20 00:00", "superseded")


class TestMergedAfterDue:
    """Ruling 7: merged after due, the predecessor's state stays and the successor may file on its behalf."""

    registry = a_merged_registry(on="2025-03-01")

    def test_an_overdue_report_stays_overdue(self) -> None:
        """A duty that was overdue when its agency was merged stays overdue."""
        assert status_history(a_duty(registry=self.registry))[-1] == ("2024-12-10 00:00", "overdue")

    def test_an_agency_that_ends_as_the_duty_falls_due_keeps_its_state(self) -> None:
        """An agency that ends at the due instant existed at the last instant before it, so its own state stays."""
        assert status_history(a_duty(registry=a_merged_registry(on="2024-12-10")))[-1] == (
            "2024-12-10 00:00",
            "overdue",
        )

    def test_the_successor_files_on_behalf_of_it(self) -> None:
        """A successor's report counts for the predecessor's duty, with the flag `filed_by_successor`."""
        event = a_submission(data={"agency": "h-hai", "on_behalf_of": "h-mot"})
        found = segment_at("2025-04-01 00:00", a_duty(registry=self.registry), a_fact(event, "2025-03-02 08:00"))
        assert (found.status.value, found.flags) == ("late", ("filed_by_successor",))

    def test_what_both_filed_is_on_one_file(self) -> None:
        """A successor's correction and the predecessor's report are versions of one submission."""
        nil: Json = {"nil_return": True, "figures_as_of": None, "sections": {}, "indicators": {}}
        first = a_fact(a_submission("s-1"), "2024-12-01 08:00")
        event = a_submission(
            "s-2", data={"agency": "h-hai", "on_behalf_of": "h-mot", "corrects": "s-1", "content": nil}
        )
        found = segment_at("2025-04-01 00:00", a_duty(registry=self.registry), first, a_fact(event, "2025-03-02 08:00"))
        assert found.flags == ("amended_after_deadline", "filed_by_successor", "nil_return")

    def test_a_stranger_s_report_on_its_behalf_counts_for_nothing(self) -> None:
        """A report on behalf of an agency counts only if it comes from one of its successors."""
        event = a_submission(data={"agency": "h-ba", "on_behalf_of": "h-mot"})
        assert status_history(a_duty(registry=self.registry), a_fact(event, "2024-12-01 08:00"))[-1][1] == "overdue"

    def test_a_successor_s_successor_may_file_too(self) -> None:
        """A successor of a successor may file, too."""
        acts = [
            MERGED | {"on": "2025-01-01"},
            {"type": "merge_new", "from": ["h-hai"], "to": ["h-ba"], "on": "2025-07-01"},
        ]
        event = a_submission(data={"agency": "h-ba", "on_behalf_of": "h-mot"})
        duty = a_duty(registry=a_merged_registry(*acts, on="2025-01-01"))
        assert status_history(duty, a_fact(event, "2025-08-01 08:00"))[-1][1] == "late"


class TestEnds:
    """Ruling 7: the other ways in which an agency ends."""

    def test_an_abolished_agency_leaves_nobody_owing(self) -> None:
        """The duty of an abolished agency has ended without successor; only a new decision could name one."""
        abolished = a_merged_registry({"type": "abolish", "from": ["h-mot"], "to": [], "on": ENDS})
        assert status_history(a_duty(registry=abolished))[-1] == ("2024-07-01 00:00", "ended_no_successor")

    def test_a_split_has_several_heirs(self) -> None:
        """After a split each heir owes one duty, and the flags name the heirs in the order of the succession."""
        split = a_merged_registry({"type": "split", "from": ["h-mot"], "to": ["h-ba", "h-hai"], "on": ENDS})
        assert segment_at("2024-08-01 00:00", a_duty(registry=split)).flags == (
            "inherited_by_h-ba",
            "inherited_by_h-hai",
        )

    def test_an_heir_outside_the_addressed_groups_owes_nothing(self) -> None:
        """An heir outside the addressed groups inherits no duty: without a bound heir there is no successor."""
        heir = an_agency("h-hai", groups=[])
        registry = a_registry(an_agency("h-mot", valid={"from": SINCE, "to": ENDS}), heir, successions=[MERGED])
        assert status_history(a_duty(registry=registry))[-1][1] == "ended_no_successor"

    def test_an_unbound_heir_passes_the_duty_on_to_its_own(self) -> None:
        """Where the heir is merged again before due, the duty passes to the heir's heir."""
        acts = [MERGED, {"type": "merge_new", "from": ["h-hai"], "to": ["h-ba"], "on": "2024-10-01"}]
        assert segment_at("2024-12-31 00:00", a_duty(registry=a_merged_registry(*acts))).flags == ("inherited_by_h-ba",)

    def test_a_circle_of_successions_ends_the_search(self) -> None:
        """Two agencies that are each other's heirs end the search without an heir instead of looping for ever."""
        acts = [MERGED, {"type": "merge_into", "from": ["h-hai"], "to": ["h-mot"], "on": "2024-08-01"}]
        assert (
            segment_at("2024-12-31 00:00", a_duty(registry=a_merged_registry(*acts))).status.value
            == "ended_no_successor"
        )
        assert Agencies(a_merged_registry(*acts)).successors("h-mot") == {"h-hai"}

    def test_an_act_ends_an_agency_whose_entry_does_not_say_so(self) -> None:
        """A succession ends an agency whose own entry names no end."""
        registry = a_registry(an_agency("h-mot"), an_agency("h-hai"), successions=[MERGED])
        assert Agencies(registry).lifetime("h-mot").to == date(2024, 7, 1)
        assert status_history(a_duty(registry=registry))[-1] == ("2024-07-01 00:00", "superseded")

    def test_an_agency_that_takes_part_and_goes_on_does_not_end(self) -> None:
        """An agency that stands on both sides of a succession does not end by it."""
        act = {"type": "merge_into", "from": ["h-mot", "h-hai"], "to": ["h-hai"], "on": ENDS}
        assert Agencies(a_merged_registry(act)).lifetime("h-hai").to == date.max


class TestUndated:
    """An undated duty binds while the membership lasts (ruling 8)."""

    def test_leaving_the_group_ends_a_continuous_duty(self) -> None:
        """An agency that leaves the group is not bound by the continuous duty from that day on."""
        leaver = an_agency("h-mot", groups=[{"id": GROUP, "from": SINCE, "to": "2020-01-01"}])
        duty = a_duty(an_undated_version(), registry=a_registry(leaver), period=None)
        assert status_history(duty) == [("2016-05-05 00:00", "open"), ("2020-01-01 00:00", "not_applicable")]

    def test_a_continuous_duty_passes_on_when_the_agency_ends(self) -> None:
        """A continuous duty is superseded on the day on which its agency ends."""
        duty = a_duty(an_undated_version(), registry=a_merged_registry(), period=None)
        assert status_history(duty) == [("2016-05-05 00:00", "open"), ("2024-07-01 00:00", "superseded")]

    def test_a_yearly_duty_without_a_date_binds_who_is_a_member_at_the_year_s_end(self) -> None:
        """An undated yearly duty is superseded in the year in which the agency ends, and open in the year before."""
        duties = [
            a_duty(a_version(due=None), registry=a_merged_registry(), period=period) for period in ("2023", "2024")
        ]
        assert [status_history(duty)[-1][1] for duty in duties] == ["open", "superseded"]


def test_an_agency_that_ended_before_the_period_owes_nothing() -> None:
    """An agency does not owe the periods that begin after its end."""
    assert not a_duty(registry=a_merged_registry(), period="2025").is_binding


class TestMembership:
    """Ruling 8: an agency is bound iff it is a member at the last instant before due, from the day it became one."""

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
        """The duty opens with the membership that lasts until due; without one it never opens."""
        groups = [{"id": GROUP, "from": from_, "to": to} for from_, to in stays]
        assert wall(a_duty(registry=a_registry(an_agency("h-mot", groups=groups))).opens_at) == expected, rule

    def test_who_is_not_bound_has_no_timeline(self) -> None:
        """A duty that binds nobody has no timeline, and is not applicable at any time."""
        duty = a_duty(registry=a_registry(an_agency("h-mot", groups=[])))
        assert status_history(duty) == []
        assert segment_at("2024-12-31 00:00", duty).status.value == "not_applicable"

    def test_before_it_opens_a_duty_does_not_apply(self) -> None:
        """Before it opens a duty is not applicable: in November nobody owes next year's report."""
        assert segment_at("2023-11-01 00:00", a_duty()).status.value == "not_applicable"

    def test_an_agency_addressed_by_name_needs_no_group(self) -> None:
        """An agency that the obligation addresses by name is bound as long as it exists, without any group."""
        registry = a_registry(an_agency("bank", groups=[]))
        duty = a_duty(obligation=an_obligation(addressees=["bank"]), registry=registry, agency="bank")
        assert status_history(duty)[0] == ("2024-01-01 00:00", "pending")

    def test_a_group_that_is_not_addressed_binds_nobody(self) -> None:
        """Membership in a group that is not addressed binds nobody."""
        groups = [{"id": "so", "from": SINCE}, {"id": GROUP, "from": "2024-05-01"}]
        assert wall(a_duty(registry=a_registry(an_agency("h-mot", groups=groups))).opens_at) == "2024-05-01 00:00"

    def test_an_agency_is_no_member_before_it_exists(self) -> None:
        """A membership without dates lasts as long as the agency exists."""
        new = an_agency("h-mot", valid={"from": "2024-03-01"}, groups=[{"id": GROUP}])
        assert wall(a_duty(registry=a_registry(new)).opens_at) == "2024-03-01 00:00"


def test_the_plan_s_own_date_opens_what_began_before_it() -> None:
    """An obligation dated before the plan binds from the plan's day of issue."""
    obligation = an_obligation(a_version(**{"from": "2010-01-01"}))
    duty = a_catalogue(a_plan(obligation)).duty(agency="h-mot", obligation="results", period="2016")
    assert wall(duty.opens_at) == "2016-05-05 00:00"
