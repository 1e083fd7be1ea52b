"""The story of the demo: always the same, fit for intake, and borne out by rules without a server."""

import json
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.events.assessments import Status
from schemas.events.facts import MODEL_OF
from services.console.demo import comparison, story
from services.console.demo.events import RESULTS, YEAR, Post
from services.console.demo.expected import CURTAIN_AT, DUE_AT, Truth, from_, told
from services.console.demo.story import BEGINS_AT, Story
from services.console.support import inputs
from services.rules import fact_decoder
from services.rules.core.assess import assess
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact

DIRECTORY = Path(__file__).parents[3] / "deploy" / "plans" / "6766-kh-ubnd"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture(scope="module")
def book() -> DutyCatalogue:
    """Plan 6766 as published."""
    return inputs.read_book(DIRECTORY)


@pytest.fixture(scope="module")
def year(book: DutyCatalogue) -> Story:
    """The story of 2024."""
    return story.told(book.registry)


def handed_in(year: Story) -> list[Post]:
    """Everything that is ever posted, in order."""
    return [*(Post(at=BEGINS_AT, event=event) for event in year.archive), *year.posts]


def a_row(truth: Truth) -> dict[str, object]:
    """What reporting would say of an agency that did as planted."""
    expected = comparison.expected(truth)
    times = {name: expected[name] and expected[name].isoformat() for name in ("due_at", "effective_at")}
    urging = {name: expected[name] for name in ("reminders", "urgings", "about_incomplete", "escalations")}
    return {**expected, **times, "agency": truth.agency, "obligation": RESULTS, "urging": urging}


class TestWhatIsPosted:
    """The posts are what real systems would send."""

    def test_the_story_is_always_the_same(self, book: DutyCatalogue, year: Story) -> None:
        """Nothing in it is left to chance."""
        assert story.told(book.registry) == year

    def test_every_post_fits_its_published_schema(self, year: Story) -> None:
        """Intake would take each of them."""
        for post in handed_in(year):
            MODEL_OF[post.event["type"]].model_validate(post.event["data"])

    def test_every_event_has_an_identity_of_its_own(self, year: Story) -> None:
        """No two events share source and id."""
        identities = [(post.event["source"], post.event["id"]) for post in handed_in(year)]
        assert len(set(identities)) == len(identities)

    def test_the_posts_come_in_order_within_the_year(self, year: Story) -> None:
        """The clock only moves on."""
        instants = [post.at for post in year.posts]
        assert instants == sorted(instants)
        assert instants[0] > BEGINS_AT
        assert instants[-1] < CURTAIN_AT

    def test_a_last_minute_and_a_morning_after_are_in_it(self, year: Story) -> None:
        """Some report at 23:59 on the last good day, some at eight the next morning, one at midnight itself."""
        minutes = Counter(post.at.strftime("%d/%m %H:%M") for post in year.posts)
        assert minutes["09/12 23:59"] == 3
        assert minutes["10/12 08:00"] == 2
        assert minutes["10/12 00:00"] == 1


class TestWhatIsPlanted:
    """The planted truth is complete, and rules bears it out."""

    def test_every_agency_that_owes_has_its_truth(self, year: Story) -> None:
        """18 departments and 27 districts owed results in 2024."""
        kinds = Counter(truth.agency.partition("-")[0] in {"h", "tx", "tp"} for truth in year.truths)
        assert kinds == {False: 18, True: 27}

    def test_agencies_behave_differently(self, year: Story) -> None:
        """Most are on time, some late, several silent, one incomplete, one exempt."""
        found = Counter(truth.status for truth in year.truths)
        assert found[Status.ON_TIME] > len(year.truths) / 2
        assert found[Status.LATE] >= 5
        assert found[Status.OVERDUE] >= 3
        assert found[Status.INCOMPLETE] == found[Status.EXEMPT] == 1

    def test_rules_comes_to_the_planted_truth(self, book: DutyCatalogue, year: Story) -> None:
        """Without any server, from the posted events alone."""
        dockets: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        for post in handed_in(year):
            received = {**post.event, "receivedtime": post.at.isoformat()}
            fact = book.resolve_names(
                fact_decoder.build_fact(fact_decoder.decode_envelope(json.dumps(received).encode()))
            )
            dockets[fact.agency, fact.obligation].append(fact)
        for truth in year.truths:
            duty = book.duty(agency=truth.agency, obligation=RESULTS, period=YEAR)
            found = assess(duty, dockets[truth.agency, RESULTS]).at(CURTAIN_AT)
            assert (found.status, found.due_at, found.effective_at) == (truth.status, truth.due_at, truth.effective_at)
            assert (found.submissions, found.missing) == (truth.submissions, truth.missing)
            assert set(found.flags) == truth.flags

    def test_who_is_silent_hears_everything(self) -> None:
        """Five reminders, six urgings until the curtain, and twice somebody above hears of it."""
        heard = told()
        assert (heard.reminders, heard.urgings, heard.escalations) == (5, 6, 2)

    def test_who_has_reported_hears_no_more(self) -> None:
        """A report of 27 November comes after two reminders."""
        heard = told(from_(datetime(2024, 11, 27, 15, tzinfo=ZONE)))
        assert (heard.reminders, heard.urgings, heard.escalations) == (2, 0, 0)

    def test_days_are_counted_from_the_last_good_day(self) -> None:
        """Due at midnight is one day after the ninth."""
        assert Truth(agency="h-mot", status=Status.LATE, effective_at=DUE_AT).days_late == 1


class TestComparison:
    """What the system says is held against the truth field by field."""

    def test_what_was_planted_shows_no_difference(self, year: Story) -> None:
        """All agencies as planted."""
        assert not list(comparison.differences(year.truths, map(a_row, year.truths), said_by="the report"))

    def test_a_difference_names_agency_field_and_both_values(self, year: Story) -> None:
        """A person can tell from the line who is wrong where."""
        truth = year.truths[0]
        row = {**a_row(truth), "days_late": 99}
        found = list(comparison.differences([truth], [row], said_by="the report"))
        assert found == [f"{truth.agency}: days_late is 99 in the report, the story planted {truth.days_late!r}"]

    def test_an_agency_left_out_is_a_difference(self, year: Story) -> None:
        """Silence about an agency is not agreement."""
        found = list(comparison.differences(year.truths[:1], [], said_by="the report"))
        assert found == [f"{year.truths[0].agency}: the report says nothing of it"]

    def test_an_agency_too_many_is_a_difference(self, year: Story) -> None:
        """Nobody is counted whom the plan did not address."""
        found = list(comparison.differences([], [a_row(year.truths[0])], said_by="the report"))
        assert found == [f"{year.truths[0].agency}: the report names it, the story knows nothing of it"]
