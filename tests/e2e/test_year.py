"""One year of plan 6766 through the four real processes: what was planted comes out, field by field."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from schemas.events.assessments import Status
from services.console.demo import contacts, run
from services.console.demo.events import RESULTS
from services.console.demo.run import Performance
from services.console.demo.story import Story
from services.console.support.local_system import System
from services.intake.receipts import verification
from tests.support.clients.demo_year import a_running_demo

pytestmark = pytest.mark.timeout(420)  # a year takes about half a minute alone, and more where others share the cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A year that has been played, and the system that still stands at its end."""

    story: Story
    system: System
    receipts: list[Mapping[str, Any]]
    mails: list[EmailMessage]

    @property
    def report(self) -> Mapping[str, Any]:
        """The annual report, for programs."""
        document: Mapping[str, Any] = json.loads(run.report(self.system.reporting.url, "json"))
        return document

    def mails_to(self, agency: str) -> list[EmailMessage]:
        """Return the mails that came for *agency*, in order."""
        return [mail for mail in self.mails if mail["To"].endswith(f"@{agency}.{contacts.DOMAIN}")]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, jars: Path) -> Iterator[Played]:
    """The story of 2024, played once without the days on which nothing happens."""
    with a_running_demo(tmp_path_factory.mktemp("year"), jars) as stage:
        played = Performance(story=stage.story, registry=stage.registry, keys=stage.keys, clock=stage.clock, every=None)
        came = asyncio.run(run.play(stage.system, played))
        mails = stage.system.stack.smtp.mails()
        yield Played(story=stage.story, system=stage.system, receipts=list(came.answers), mails=mails)


def test_dashboard_and_report_say_what_was_planted(year: Played) -> None:
    """No agency differs in status, instants, days late, flags, missing parts or in how often it was urged."""
    assert run.differences(year.system.reporting.url, year.story, year.report) == []


def test_every_post_has_its_receipt(year: Played) -> None:
    """As many receipts as events, each with an identity of its own."""
    receipts = [receipt for answer in year.receipts for receipt in answer["receipts"]]
    assert len(receipts) == len(year.story.archive) + len(year.story.posts)
    assert len({receipt["receiptid"] for receipt in receipts}) == len(receipts)


def test_every_receipt_is_genuine(year: Played) -> None:
    """The published keys vouch for each answer, that of the batch of the archive too."""
    keys = verification.keys_of(run.key_set(year.system.intake.url))
    for answer in year.receipts:
        _, signed = verification.receipts_of(answer["jws"], keys)
        assert signed == answer["receipts"]


def test_the_figures_of_the_report_are_the_sums_of_its_lines(year: Played) -> None:
    """Expected are those who were neither exempt nor superseded."""
    counted = [truth.status for truth in year.story.truths]
    total = next(one["total"] for one in year.report["chapters"] if one["obligation"] == RESULTS)
    assert total["expected_reports"] == len(counted) - counted.count(Status.EXEMPT)
    assert total["on_time"] == counted.count(Status.ON_TIME)
    assert total["late"] == counted.count(Status.LATE)
    assert total["overdue"] == counted.count(Status.OVERDUE)
    assert total["incomplete"] == counted.count(Status.INCOMPLETE)


def test_the_spreadsheet_says_the_same(year: Played) -> None:
    """CSV and JSON are two writings of one report."""
    text = run.report(year.system.reporting.url, "csv").decode("utf-8-sig")
    rows = {row["agency"]: row for row in csv.DictReader(io.StringIO(text)) if row["obligation"] == RESULTS}
    assert {agency: row["status"] for agency, row in rows.items()} == {
        truth.agency: truth.status.value for truth in year.story.truths
    }


@pytest.mark.parametrize("extension, begins", [("pdf", b"%PDF-"), ("docx", b"PK"), ("xlsx", b"PK")])
def test_the_report_comes_as_a_document(year: Played, extension: str, begins: bytes) -> None:
    """A program that knows the format takes it for what it is."""
    assert run.report(year.system.reporting.url, extension).startswith(begins)


def test_each_agency_got_as_many_mails_as_it_was_told_things(year: Played) -> None:
    """Nothing twice, nothing left out: the mailbox itself is counted, not the notifier's word for it."""
    told = {
        truth.agency: truth.told.reminders + truth.told.urgings + truth.told.about_incomplete
        for truth in year.story.truths
    }
    assert {agency: len(year.mails_to(agency)) for agency in told} == told


def test_a_mail_names_duty_clause_deadline_and_what_is_missing(year: Played) -> None:
    """Courteous, in Vietnamese, in plain words."""
    about_incomplete = [mail for mail in year.mails_to("so-ldtbxh") if "03 Dec 2024" in mail["Date"]][-1]
    body = about_incomplete.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "kính đề nghị" in text.casefold()
    assert "mục III.1" in text
    assert "hết ngày 09/12/2024" in text
    assert "chữ ký" in text


def test_no_sms_takes_more_than_two_parts_or_an_accent(year: Played) -> None:
    """Operators bill by part, and an accent halves what fits in one."""
    messages = year.system.stack.smsc.messages()
    assert messages
    assert {message["encoding"] for message in messages} == {"gsm7"}
    assert all(int(str(message["parts"])) <= 2 for message in messages)


def test_no_service_met_a_fault(year: Played) -> None:
    """A story without poison leaves no error behind; what waits for a slow machine may warn."""
    for service in year.system.services:
        logged = service.program.log.read_text(encoding="utf-8").splitlines()
        ours = [json.loads(line) for line in logged if line.startswith("{") and "aiokafka" not in line]
        assert [line for line in ours if line["level"] in {"error", "critical"}] == [], service.program.name
