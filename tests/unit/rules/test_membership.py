"""Whom a duty binds, from when until when (ruling 8)."""

import pytest

from tests.support.assertions.spec import a_book, a_duty, at, history, wall
from tests.support.builders.plans import GROUP, SINCE, a_plan, a_registry, a_version, an_agency, an_obligation


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
