"""The work of the core grows in near proportion to the facts of a duty, whatever they say (contract section 6)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from schemas.plan.plan import Acceptance, Requirements
from services.rules.core import completeness
from services.rules.core.assess import assess
from services.rules.core.completeness import DutyRequirements, combine_requirements
from services.rules.core.facts import (
    Adjustment,
    Docket,
    Exemption,
    Extension,
    Fact,
    FiledAttachment,
    Reassignment,
    ReportContent,
    ReportReturn,
    Revocation,
    Submission,
    Withdrawal,
)
from services.rules.core.fast_path import compute_outcome
from services.rules.core.submissions.filings import build_filings, relate_submissions
from tests.support.assertions.growth import CountedText, assert_near_linear, count_instructions
from tests.support.assertions.spec import a_duty, an_undated_version
from tests.support.builders import strategies as some
from tests.support.builders.plans import a_version

DUTY = a_duty(a_version(reminders=some.REMINDERS))
UNDATED_DUTY = a_duty(an_undated_version(), period=None)
SENT_AT = datetime(2024, 12, 9, 16, 55, tzinfo=UTC)  # five minutes before the usual duty falls due
COMPLETE = ReportContent(
    number="215/BC-UBND",
    issued_on=date(2024, 12, 1),
    signed_by="A",
    is_nil_return=False,
    sections={"results": "x"},
    indicators={},
    attachments=(),
)
Facts = list[Fact]
Build = Callable[[int], Facts]


def stamped(kind: Callable[..., Fact], event: str, seconds: int, **fields: Any) -> Fact:
    """Build a fact received so many seconds after `SENT_AT`."""
    at = SENT_AT + timedelta(seconds=seconds)
    common = {"source": "qlvb", "plan": "p", "obligation": "o", "agency": DUTY.key.agency}
    return kind(id=event, received_at=at, recorded_at=at, **common, **fields)


def report(index: int, *, corrects: int | None = None, **content: Any) -> Fact:
    """Build one of many reports; without other *content* all are the same complete document."""
    return stamped(
        Submission,
        f"s-{index:05d}",
        index,
        period="2024",
        filed_by=DUTY.key.agency,
        corrects=None if corrects is None else f"s-{corrects:05d}",
        sent_at=None,
        proof="none",
        report=msgspec.structs.replace(COMPLETE, **content),
    )


def withdrawal(number: int, of: int) -> Fact:
    """Build the withdrawal of a report."""
    return stamped(Withdrawal, f"w-{number:05d}", number, period="2024", withdraws=f"s-{of:05d}")


def return_of(of: int, seconds: int) -> Fact:
    """Build the return of a report, so many seconds after `SENT_AT`."""
    return stamped(
        ReportReturn, f"b-{of:05d}", seconds, period="2024", submission=f"s-{of:05d}", reason="", respond_by=None
    )


def stamp_later(fact: Fact, seconds: int) -> Fact:
    """Return the fact as received and recorded so many seconds after `SENT_AT`."""
    at = SENT_AT + timedelta(seconds=seconds)
    return msgspec.structs.replace(fact, received_at=at, recorded_at=at)


def reassignment(number: int, of: int, *, back: bool = False) -> Fact:
    """Build the reassignment of a report to the year before, or back."""
    from_, to = ("2023", "2024") if back else ("2024", "2023")
    return stamped(Reassignment, f"m-{number:05d}", number, submission=f"s-{of:05d}", from_period=from_, to_period=to)


def extension(number: int) -> Fact:
    """Build an extension by an hour more than the one before; four are decided a day."""
    return stamped(
        Extension,
        f"x-{number:05d}",
        number,
        period="2024",
        due_at=SENT_AT + timedelta(hours=number),
        decided_on=date(2024, 1, 2) + timedelta(days=number // 4),
    )


def exemption(number: int) -> Fact:
    """Build an exemption for a few days of its own."""
    since = SENT_AT + timedelta(days=number)
    return stamped(
        Exemption,
        f"e-{number:05d}",
        number,
        from_=since,
        until=since + timedelta(days=3),
        decided_on=date(2024, 1, 1),
    )


def revocation(number: int, of: int) -> Fact:
    """Build the revocation of an exemption, with a year to report."""
    return stamped(
        Revocation,
        f"r-{number:05d}",
        number,
        exemption=f"e-{of:05d}",
        due_at=SENT_AT + timedelta(days=3650 + number),
        decided_on=date(2024, 1, 1),
    )


def one_number(size: int) -> Facts:
    """Build reports that all carry the same number."""
    return [report(one) for one in range(size)]


def same_files(size: int) -> Facts:
    """Build reports without number that all came with the same file."""
    files = (FiledAttachment(media_type="application/pdf", sha256="a" * 64),)
    return [report(one, number="", attachments=files) for one in range(size)]


def chain_of_corrections(size: int) -> Facts:
    """Build reports of which each corrects the one before."""
    return [report(one, corrects=one - 1 if one else None) for one in range(size)]


def corrections_before_their_targets(size: int) -> Facts:
    """Build reports of which each corrects the next, so that all but the last wait for their target."""
    return [report(one, corrects=one + 1 if one < size - 1 else None) for one in range(size)]


def star_of_corrections(size: int) -> Facts:
    """Build reports that all correct the first."""
    return [report(one, corrects=0 if one else None) for one in range(size)]


def circle_of_corrections(size: int) -> Facts:
    """Build reports that correct each other in one circle."""
    return [report(one, corrects=(one + 1) % size) for one in range(size)]


def all_distinct(size: int) -> Facts:
    """Build reports with a number each."""
    return [report(one, number=f"{one}/BC") for one in range(size)]


def all_incomplete(size: int) -> Facts:
    """Build incomplete reports with a number each."""
    return [report(one, number=f"{one}/BC", sections={}) for one in range(size)]


def withdrawn(size: int) -> Facts:
    """Build reports of which every second one corrects the one before; all but a few are withdrawn one by one."""
    reports = [report(one, corrects=one - 1 if one % 2 else None) for one in range(size // 2)]
    return [*reports, *[withdrawal(size + one, one) for one in range(size // 2 - 5)]]


def reassigned(size: int) -> Facts:
    """Build reports that are reassigned to another year, half of them back again."""
    reports = [report(one, number=f"{one}/BC") for one in range(size // 2)]
    away = [reassignment(size + one, one) for one in range(size // 3)]
    back = [reassignment(2 * size + one, one, back=True) for one in range(size // 6)]
    return [*reports, *away, *back]


def reassigned_back_and_forth(size: int) -> Facts:
    """Build one report that is reassigned to another year and back, again and again."""
    return [report(0), *[reassignment(one, 0, back=one % 2 == 0) for one in range(1, size)]]


def extended(size: int) -> Facts:
    """Build extensions, each later than the one before, and an incomplete report."""
    return [report(0, sections={}), *[extension(one) for one in range(1, size)]]


def exempted(size: int) -> Facts:
    """Build exemptions that follow each other, a third of them revoked, and reports."""
    exemptions = [exemption(one) for one in range(size // 2)]
    revocations = [revocation(size + one, one) for one in range(size // 4)]
    return [*exemptions, *revocations, *[report(one) for one in range(size // 4)]]


REPORTS: tuple[Build, ...] = (
    one_number,
    same_files,
    chain_of_corrections,
    corrections_before_their_targets,
    star_of_corrections,
    circle_of_corrections,
    all_distinct,
    all_incomplete,
)


def returned(size: int) -> Facts:
    """Build a chain of corrections, each returned before the next, and the last ones withdrawn again."""
    count = size // 3
    chain = [stamp_later(report(one, corrects=one - 1 if one else None), 2 * one) for one in range(count)]
    returns = [return_of(one, 2 * one + 1) for one in range(count)]
    return [*chain, *returns, *[withdrawal(2 * count + one, count - 1 - one) for one in range(count - 5)]]


def returned_copies(size: int) -> Facts:
    """Build copies of one document, each of which is returned."""
    return [*one_number(size // 2), *[return_of(one, size + one) for one in range(size // 2)]]


OTHERS: tuple[Build, ...] = (
    withdrawn,
    returned,
    returned_copies,
    reassigned,
    reassigned_back_and_forth,
    extended,
    exempted,
)


def with_counted_ids(facts: Facts) -> Facts:
    """Return the facts with all ids as counted texts."""
    names = ("id", "source", "corrects", "withdraws", "submission", "exemption")
    counted = []
    for fact in facts:
        ids = {name: CountedText(value) for name in names if (value := getattr(fact, name, None)) is not None}
        counted.append(msgspec.structs.replace(fact, **ids))
    return counted


def at_one_instant(facts: Facts) -> Facts:
    """Return the facts as received and recorded at one instant, as those of one batch are."""
    return [msgspec.structs.replace(one, received_at=SENT_AT, recorded_at=SENT_AT) for one in facts]


def without_period(facts: Facts) -> Facts:
    """Return the facts as being about a duty without periods."""
    return [msgspec.structs.replace(one, period=None) if isinstance(one, Submission) else one for one in facts]


def split_facts(facts: Facts) -> tuple[list[Submission], list[Adjustment]]:
    """Return the submissions and the other facts."""
    submissions = [one for one in facts if isinstance(one, Submission)]
    return submissions, [one for one in facts if not isinstance(one, Submission)]


@pytest.mark.parametrize("build", REPORTS)
def test_relating_submissions_is_near_linear(build: Build) -> None:
    """Relating submissions to each other compares no pairs of them."""
    assert_near_linear(lambda size: split_facts(with_counted_ids(build(size)))[0], relate_submissions)


@pytest.mark.parametrize("build", OTHERS)
def test_building_filings_is_near_linear(build: Build) -> None:
    """Building the filings finds what each fact names without a search."""
    assert_near_linear(
        lambda size: split_facts(with_counted_ids(build(size))), lambda facts: build_filings(DUTY, *facts)
    )


@pytest.mark.parametrize(
    "build", [*REPORTS, withdrawn, returned_copies, reassigned, reassigned_back_and_forth, exempted]
)
def test_assessing_one_batch_is_near_linear(build: Build) -> None:
    """Facts received at one instant are assessed in near linear work, with all comparisons counted."""
    assert_near_linear(lambda size: with_counted_ids(at_one_instant(build(size))), lambda facts: assess(DUTY, facts))


@pytest.mark.parametrize("build", [*REPORTS, *OTHERS])
def test_the_outcome_of_facts_of_many_instants_is_near_linear(build: Build) -> None:
    """Facts of an instant each are assessed, and alerts planned for them, in a near linear number of instructions.

    Not counted is the copying of the evidence, which each segment of a timeline lists in full.
    """
    assert_near_linear(build, lambda facts: compute_outcome(DUTY, facts))


@pytest.mark.parametrize("build", [one_number, all_incomplete, withdrawn, exempted])
def test_the_outcome_of_an_undated_duty_is_near_linear(build: Build) -> None:
    """An undated duty, which exemptions release while they last, is assessed in near linear work as well."""
    assert_near_linear(lambda size: without_period(build(size)), lambda facts: compute_outcome(UNDATED_DUTY, facts))


def test_a_thousand_reports_with_one_number_cost_a_fraction_of_a_second() -> None:
    """A thousand reports with one number take fewer instructions than Python executes in a tenth of a second."""
    assert count_instructions(lambda facts: assess(DUTY, facts), at_one_instant(one_number(1000))) < 1_500_000


@pytest.mark.parametrize("build", [one_number, reassigned, extended, exempted])
def test_a_docket_grows_in_near_linear_work(build: Build) -> None:
    """Adding facts to a docket one by one, and listing those that bear on a period, is near linear."""
    assert_near_linear(
        lambda size: with_counted_ids(build(size)), lambda facts: tuple(Docket(facts).facts_bearing_on("2024"))
    )


def test_finding_what_is_missing_is_near_linear() -> None:
    """Finding what is missing from a report takes work in proportion to the requirements and to the report."""

    def build_report(size: int) -> tuple[DutyRequirements, ReportContent]:
        names = [f"part-{number}" for number in range(size)]
        requires = Requirements.model_validate(
            {
                "sections": names,
                "indicators": [{"code": name, "unit": "x", "min": 1} for name in names],
                "attachments": {"min": size, "media_types": ["application/pdf"]},
            }
        )
        content = msgspec.structs.replace(
            COMPLETE,
            sections=dict.fromkeys(names[::2], "x"),
            indicators=dict.fromkeys(names[::3], 2.0),
            attachments=(FiledAttachment(media_type="application/pdf", sha256="a" * 64),) * size,
        )
        return combine_requirements(requires, Acceptance(), ()), content

    assert_near_linear(build_report, lambda given: completeness.find_missing(*given))
