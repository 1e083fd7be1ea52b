"""The demo's scenario: the same in every run, valid for intake, and confirmed by the core of rules without a server."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from schemas.events.assessments import Status
from schemas.events.facts import MODEL_OF
from services.console.demo.plan_6766 import scenario
from services.console.demo.plan_6766.events import RESULTS, YEAR
from services.console.demo.plan_6766.expected import ENDS_AT
from services.console.demo.plan_6766.scenario import BEGINS_AT, Plan6766Scenario
from services.console.demo.scenario import ScheduledPost
from services.console.support import inputs
from services.rules import fact_decoder
from services.rules.core.assess import assess
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact

DIRECTORY = Path(__file__).parents[4] / "deploy" / "plans" / "6766-kh-ubnd"


@pytest.fixture(scope="module")
def catalogue() -> DutyCatalogue:
    """Plan 6766 and its registry as published."""
    return inputs.read_plan_folder(DIRECTORY)


@pytest.fixture(scope="module")
def year(catalogue: DutyCatalogue) -> Plan6766Scenario:
    """The scenario of 2024."""
    return scenario.build_scenario(catalogue.registry)


def all_posts(year: Plan6766Scenario) -> list[ScheduledPost]:
    """Everything that is ever posted, in order."""
    return [*(ScheduledPost(at=BEGINS_AT, event=event) for event in year.archive), *year.posts]


class TestPosts:
    """The posts are what real upstream systems would send."""

    def test_the_scenario_is_always_the_same(self, catalogue: DutyCatalogue, year: Plan6766Scenario) -> None:
        """Two scenarios built from one registry are equal, because nothing in them is random."""
        assert scenario.build_scenario(catalogue.registry) == year

    def test_every_post_fits_its_published_schema(self, year: Plan6766Scenario) -> None:
        """The data of every event is valid by the model of its type, so intake accepts it."""
        for post in all_posts(year):
            MODEL_OF[post.event["type"]].model_validate(post.event["data"])

    def test_every_event_has_an_identity_of_its_own(self, year: Plan6766Scenario) -> None:
        """No two events share source and id."""
        identities = [(post.event["source"], post.event["id"]) for post in all_posts(year)]
        assert len(set(identities)) == len(identities)

    def test_the_posts_come_in_order_within_the_year(self, year: Plan6766Scenario) -> None:
        """The posts are sorted by instant and lie between the begin and the end of the scenario."""
        instants = [post.at for post in year.posts]
        assert instants == sorted(instants)
        assert instants[0] > BEGINS_AT
        assert instants[-1] < ENDS_AT

    def test_the_minutes_around_the_due_instant_are_in_it(self, year: Plan6766Scenario) -> None:
        """Three agencies report at 23:59 on the last timely day, one at midnight, two at eight the next morning."""
        minutes = Counter(post.at.strftime("%d/%m %H:%M") for post in year.posts)
        assert minutes["09/12 23:59"] == 3
        assert minutes["10/12 08:00"] == 2
        assert minutes["10/12 00:00"] == 1


class TestExpectations:
    """The expected outcome is complete, and the core of rules confirms it."""

    def test_every_agency_that_owes_has_an_expectation(self, year: Plan6766Scenario) -> None:
        """18 departments and 27 districts owed results in 2024, and each has an expectation."""
        is_district = Counter(one.agency.partition("-")[0] in {"h", "tx", "tp"} for one in year.expectations)
        assert is_district == {False: 18, True: 27}

    def test_agencies_behave_differently(self, year: Plan6766Scenario) -> None:
        """Most are on time, some late, several silent, two incomplete (one of them returned), one exempt."""
        found = Counter(one.status for one in year.expectations)
        assert found[Status.ON_TIME] > len(year.expectations) / 2
        assert found[Status.LATE] >= 5
        assert found[Status.OVERDUE] >= 3
        assert (found[Status.INCOMPLETE], found[Status.EXEMPT]) == (2, 1)

    def test_rules_assesses_every_duty_as_expected(self, catalogue: DutyCatalogue, year: Plan6766Scenario) -> None:
        """The core of rules comes to the expected outcome from the posted events alone."""
        dockets: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        for post in all_posts(year):
            received = {**post.event, "receivedtime": post.at.isoformat()}
            fact = catalogue.resolve_names(fact_decoder.decode_fact(json.dumps(received).encode()))
            dockets[fact.agency, fact.obligation].append(fact)
        for wanted in year.expectations:
            duty = catalogue.duty(agency=wanted.agency, obligation=RESULTS, period=YEAR)
            found = assess(duty, dockets[wanted.agency, RESULTS]).at(ENDS_AT)
            assert (found.status, found.due_at, found.effective_at) == (
                wanted.status,
                wanted.due_at,
                wanted.effective_at,
            )
            assert (found.submissions, found.missing) == (wanted.submissions, wanted.missing)
            assert set(found.flags) == wanted.flags
