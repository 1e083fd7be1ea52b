"""One year of plan 6766 through the four real processes: the outcome is as expected, field by field."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.events.assessments import Status
from schemas.events.topics import DELIVERIES, VERDICTS
from services.console.demo import contacts, run
from services.console.demo.plan_6766 import comparison
from services.console.demo.plan_6766.events import RESULTS
from services.console.demo.plan_6766.scenario import Plan6766Scenario
from services.console.demo.run import DemoRun
from services.console.support.local_system import LocalSystem
from services.intake.receipts import verification
from services.notifier.settings import GROUP
from services.runtime.settings import ServiceSettings
from tests.support.assertions.eventually import eventually
from tests.support.clients.demo_year import start_demo_system
from tests.support.matrix import matrix
from tests.support.servers.kafka import Bus

pytestmark = pytest.mark.timeout(420)  # a year takes about half a minute alone, and more where others share the cores


@dataclass(frozen=True, slots=True, kw_only=True)
class YearResult:
    """The result of one run of the scenario, and the system, which still runs at its end."""

    scenario: Plan6766Scenario
    system: LocalSystem
    reporting_http: httpx.Client
    receipts: list[Mapping[str, Any]]
    mails: list[EmailMessage]

    @property
    def report(self) -> Mapping[str, Any]:
        """The annual report as JSON."""
        document: Mapping[str, Any] = json.loads(run.fetch_report(self.reporting_http, self.scenario, "json"))
        return document

    def mails_to(self, agency: str) -> list[EmailMessage]:
        """Return the mails that *agency* received, in order."""
        return [mail for mail in self.mails if mail["To"].endswith(f"@{agency}.{contacts.DOMAIN}")]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, jars: Path) -> Iterator[YearResult]:
    """The scenario of 2024, run once; the clock does not stop on days without events."""
    with start_demo_system(tmp_path_factory.mktemp("year"), jars) as demo:
        demo_run = DemoRun(scenario=demo.scenario, registry=demo.registry, keys=demo.keys, clock=demo.clock)
        result = asyncio.run(run.run_scenario(demo.system, demo_run))
        mails = demo.system.stack.smtp.mails()
        yield YearResult(
            scenario=demo.scenario,
            system=demo.system,
            reporting_http=demo.reporting_http,
            receipts=list(result.answers),
            mails=mails,
        )


def test_dashboard_and_report_are_as_expected(year: YearResult) -> None:
    """No agency differs in status, instants, days late, flags, missing parts or in how often it was urged."""
    assert comparison.find_differences(year.reporting_http, year.scenario.expectations, year.report) == []


def test_the_results_are_what_was_planted(year: YearResult) -> None:
    """Every consolidated figure, each agency's own, the change on 2023 and every text is what the agencies reported."""
    assert list(year.scenario.compare(year.reporting_http, year.report).differences) == []


def test_every_agency_has_its_page(year: YearResult) -> None:
    """Whatever happened to an agency in the year, its page draws it: mergers, exemptions, returns, copies."""
    agencies = sorted({duty["agency"] for chapter in year.report["chapters"] for duty in chapter["duties"]})
    paths = ["/", "/results", *(f"/agencies/{one}" for one in agencies)]
    answers = {path: year.reporting_http.get(path, headers={"accept": "text/html"}).status_code for path in paths}
    assert agencies
    assert [path for path, status in answers.items() if status != 200] == []


def test_every_post_has_its_receipt(year: YearResult) -> None:
    """There are as many receipts as posted events, each with an id of its own."""
    receipts = [receipt for answer in year.receipts for receipt in answer["receipts"]]
    assert len(receipts) == len(year.scenario.archive) + len(year.scenario.posts)
    assert len({receipt["receiptid"] for receipt in receipts}) == len(receipts)


def test_every_receipt_is_genuine(year: YearResult) -> None:
    """The published keys verify the signature of each answer, that of the archive's batch too."""
    keys = verification.parse_key_set(run.fetch_key_set(year.system.intake.url))
    for answer in year.receipts:
        _, signed = verification.verify_receipts(answer["jws"], keys)
        assert signed == answer["receipts"]


def test_the_figures_of_the_report_are_the_sums_of_its_lines(year: YearResult) -> None:
    """The totals of the report count every agency by its status; expected are all but the exempt ones."""
    counted = [one.status for one in year.scenario.expectations]
    total = next(one["total"] for one in year.report["chapters"] if one["obligation"] == RESULTS)
    assert total["expected_reports"] == len(counted) - counted.count(Status.EXEMPT)
    assert total["on_time"] == counted.count(Status.ON_TIME)
    assert total["late"] == counted.count(Status.LATE)
    assert total["overdue"] == counted.count(Status.OVERDUE)
    assert total["incomplete"] == counted.count(Status.INCOMPLETE)


def test_the_spreadsheet_says_the_same(year: YearResult) -> None:
    """The CSV of the report gives every agency the status that is expected."""
    text = run.fetch_report(year.reporting_http, year.scenario, "csv").decode("utf-8-sig")
    rows = {row["agency"]: row for row in csv.DictReader(io.StringIO(text)) if row["obligation"] == RESULTS}
    assert {agency: row["status"] for agency, row in rows.items()} == {
        one.agency: one.status.value for one in year.scenario.expectations
    }


@pytest.mark.parametrize("extension, begins", [("pdf", b"%PDF-"), ("docx", b"PK"), ("xlsx", b"PK")])
def test_the_report_comes_as_a_document(year: YearResult, extension: str, begins: bytes) -> None:
    """Each document begins with the signature of its file format."""
    assert run.fetch_report(year.reporting_http, year.scenario, extension).startswith(begins)


def test_each_agency_got_exactly_the_expected_mails(year: YearResult) -> None:
    """The mailbox itself is counted, not the notifier's record of it, so a duplicate or a lost mail would show."""
    expected = {one.agency: one.alerts.to_agency for one in year.scenario.expectations}
    assert {agency: len(year.mails_to(agency)) for agency in expected} == expected


def test_a_mail_names_duty_clause_deadline_and_what_is_missing(year: YearResult) -> None:
    """The mail about an incomplete report is courteous and names clause, deadline and what is missing in Vietnamese."""
    about_incomplete = [mail for mail in year.mails_to("so-ldtbxh") if "03 Dec 2024" in mail["Date"]][-1]
    body = about_incomplete.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "kính đề nghị" in text.casefold()
    assert "mục III.1" in text
    assert "hết ngày 09/12/2024" in text
    assert "chữ ký" in text


def test_no_sms_takes_more_than_two_parts_or_an_accent(year: YearResult) -> None:
    """No SMS has more than two parts or a letter outside GSM 7-bit, because operators bill by part."""
    messages = year.system.stack.smsc.messages()
    assert messages
    assert {message["encoding"] for message in messages} == {"gsm7"}
    assert all(int(str(message["parts"])) <= 2 for message in messages)


def test_no_service_met_a_fault(year: YearResult) -> None:
    """The services log no error during the scenario; warnings about waiting on a slow machine are allowed."""
    for service in year.system.services:
        logged = service.program.log.read_text(encoding="utf-8").splitlines()
        ours = [json.loads(line) for line in logged if line.startswith("{") and "aiokafka" not in line]
        assert [line for line in ours if line["level"] in {"error", "critical"}] == [], service.program.name


# What follows harms the log of the year, so it comes last.


@pytest.mark.parametrize("name", matrix(["offsets", "copies", "verdicts"], in_every_run=2))
async def test_a_year_that_is_read_again_sends_nothing(year: YearResult, name: str) -> None:
    """The notifier's offsets are moved to the beginning; all verdicts are written twice; rules makes the topic anew."""
    stack, system = year.system.stack, year.system
    bus = Bus(stack.kafka.bootstrap, partitions=ServiceSettings().partitions)
    before = _count_sent(system)
    verdicts = await bus.records(VERDICTS.name)
    beginning = dict.fromkeys(range(bus.partitions), 0)
    match name:
        case "offsets":
            system.notifier.stop()
            for topic in (VERDICTS, DELIVERIES):
                await bus.commit_offsets(GROUP, topic.name, beginning)
            system.notifier.start()
        case "copies":
            copies = [((one.key or b"").decode(), json.loads(one.value or b"")) for one in verdicts]
            await bus.publish_all(VERDICTS.name, copies)
        case _:
            system.notifier.stop()
            system.rules.stop()
            await bus.recreate_topics(VERDICTS.name)
            system.rules.start()
            # Those that were written twice are made again once.
            distinct = {one.value for one in verdicts}
            await eventually(lambda: _has_records(bus, len(distinct)), "all verdicts made again from the facts")
            system.notifier.launch()
    # A notifier whose log is another one waits for a lease of a minute before it trusts what it has read.
    await eventually(system.notifier.is_ready, "the notifier ready", timeout=180)
    await bus.wait_until_consumed(GROUP, VERDICTS.name)
    await eventually(lambda: _is_outbox_empty(system), "nothing due, and nothing unpublished")
    assert before[0] > 0
    assert _count_sent(system) == before


def _count_sent(system: LocalSystem) -> tuple[int, int]:
    return len(system.stack.smtp.mails()), len(system.stack.smsc.messages())


async def _has_records(bus: Bus, count: int) -> bool:
    return len(await bus.records(VERDICTS.name)) >= count


def _is_outbox_empty(system: LocalSystem) -> bool:
    backlog = httpx.get(f"{system.notifier.url}/v1/outbox").json()
    return (backlog["due_unsent"], backlog["unpublished"]) == (0, 0)
