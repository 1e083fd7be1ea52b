"""What agencies sent, asked over HTTP of running rules and reporting: results, submissions, attached files."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from schemas.events.topics import FACTS, VERDICTS
from schemas.lint import documents
from schemas.lint.documents import PLAN_FILE, REGISTRY_FILE
from schemas.plan.grading import GradeRule
from services.console.main import app
from services.reporting.store import FACTS as STORED_FACTS
from services.runtime import attachment_store, clock
from services.runtime.kafka.published_documents import PLAN, REGISTRY, publish_document
from tests.support.assertions import evidence_questions
from tests.support.assertions.eventually import eventually
from tests.support.builders import plan_folders, plans
from tests.support.builders.plans import Json
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

RECORDED = datetime.fromisoformat("2024-12-08T03:00:00+00:00")
AT = "2024-12-20T00:00:00Z"
RESULTS = f"/v1/plans/{plans.PLAN}/periods/2024/results"
FILE = b"%PDF-1.7 the report"
DIGEST = hashlib.sha256(FILE).hexdigest()
NAME = 'Báo cáo "cuối" năm.pdf'


GRADING = (
    GradeRule.model_validate({"grade": "A", "title": {"vi": "Tốt"}, "when": "status == 'on_time'"}),
    GradeRule.model_validate({"grade": "D", "title": {"vi": "Kém"}, "when": "true"}),
)


@dataclass(frozen=True, slots=True)
class Site:
    """Running reporting, the facts that it was given, and the folders of the plan and of attached files.

    `agency` and `officer` are the authorizations of a reader of one agency and of one who reviews.
    """

    service: Service
    facts: list[Json]
    folder: Path
    files: Path
    readers: ReadersFile
    agency: str
    officer: str

    async def ask(self, path: str, *, query: Json | None = None, **headers: str) -> httpx.Response:
        """Send a GET request."""
        given = {**self.readers.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with httpx.AsyncClient(base_url=self.service.url, timeout=30) as client:
            return await client.get(
                path, params=query or {}, headers={"accept-language": "en", **self.readers.headers, **given}
            )

    def print_results(self, **options: str) -> bytes:
        """Return what `dondoc results` prints of the same facts."""
        path = self.folder / "facts.jsonl"
        path.write_text("".join(f"{json.dumps(fact, ensure_ascii=False)}\n" for fact in self.facts), encoding="utf-8")
        extra = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        command = ["results", str(self.folder), "--facts", str(path), "--period", "2024", *extra]
        return CliRunner().invoke(app, command).stdout_bytes


@pytest.fixture
async def site(launch: Launch, bus: Bus, database: Database, readers: ReadersFile, tmp_path: Path) -> Site:
    """Rules and reporting, with reports, a correction, a withdrawal and a file in the log."""
    folder, files, steered = tmp_path / "plan", tmp_path / "files", tmp_path / "clock"
    for one in (folder, files):
        one.mkdir()
    plan_folders.a_folder(
        folder,
        versions=[plans.a_version(requires={"indicators": ["loans"], "sections": ["results"]})],
        agencies=[plans.an_agency("h-mot"), plans.an_agency("h-hai")],
        indicators=[{"code": "loans", "unit": "million_vnd"}],
    )
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        plan = documents.parse_plan((folder / PLAN_FILE).read_text(encoding="utf-8"))
        registry = documents.parse_registry((folder / REGISTRY_FILE).read_text(encoding="utf-8"))
        await publish_document(producer, PLAN, plan.model_copy(update={"grading": GRADING}))
        await publish_document(producer, REGISTRY, registry)
    agency = f"Bearer {readers.create('agency:h-hai', name='h-hai')}"
    officer = f"Bearer {readers.create('all', name='officer', permits=('reviews',))}"
    clock.steer(steered, RECORDED - timedelta(days=1))
    launch("rules", DONDOC_CLOCK=f"steered:{steered}")
    service = launch(
        "reporting",
        DONDOC_MONGO_URL=database.url,
        DONDOC_REPORTING_MONGO_DATABASE=database.name,
        DONDOC_INTAKE_ATTACHMENTS=str(files),
    )
    facts = some_facts()
    for fact in facts:
        recorded_at = datetime.fromisoformat(fact["recordedtime"])
        await bus.publish(FACTS.name, without_recordedtime(fact), key=fact["subject"], recorded_at=recorded_at)
    await bus.wait_until_consumed("dondoc-rules", FACTS.name)
    for topic in (FACTS.name, VERDICTS.name):
        await bus.wait_until_consumed("dondoc-reporting", topic)
    return Site(
        service=service, facts=facts, folder=folder, files=files, readers=readers, agency=agency, officer=officer
    )


def some_facts() -> list[Json]:
    """Return the facts as a file of facts has them."""
    attached: Json = {"name": NAME, "media_type": "application/pdf", "size": len(FILE), "sha256": DIGEST}
    elsewhere = {**attached, "sha256": "0" * 64, "url": "https://example.org/x.pdf"}
    attached["url"] = attachment_store.attachment_urn(DIGEST)
    facts = [
        a_report("s-1", loans="0.10", attachments=[attached, elsewhere]),
        a_report("s-2", loans="30000000000000000000.07", corrects="s-1"),
        a_report("s-3", agency="h-hai", loans=0.2),
        plans.a_withdrawal("w-1", "s-3", subject="h-hai"),
        a_report("s-4", period="2023", loans=7),
    ]
    facts[3]["data"]["agency"] = "h-hai"
    for number, fact in enumerate(facts):
        recorded = (RECORDED + timedelta(hours=number)).isoformat()
        fact |= {"receivedtime": recorded, "recordedtime": recorded, "receiptid": f"{number:032x}"}
        facts[number] = fact
    return facts


def a_report(event: str, *, agency: str = "h-mot", loans: Any, **data: Any) -> Json:
    """Build a report."""
    content = {"nil_return": False, "figures_as_of": None, "sections": {"results": "Đã\u2028làm"}}
    document = {"number": f"{event}/BC", "issued_on": "2024-12-01", "signed_by": "A", "title": "BC"}
    fields = {"agency": agency, "content": {**content, "indicators": {"loans": loans}}, "document": document}
    return plans.a_submission(event, data={**fields, **data})


def without_recordedtime(fact: Json) -> Json:
    """Return the fact as intake writes it."""
    return {name: value for name, value in fact.items() if name != "recordedtime"}


async def test_what_agencies_sent_is_answered(site: Site) -> None:
    """The whole interface of contents, in one run of the two services."""
    described = (await site.ask("/openapi.json")).json()
    await assert_results_are_those_of_the_command(site, described)
    await assert_results_are_asked_for_within_bounds(site)
    await assert_a_submission_has_its_history(site, described)
    await assert_attached_files_are_opened(site)
    await assert_an_agency_reads_its_own(site)
    await assert_figures_are_reviewed(site, described)
    await assert_agencies_are_evaluated(site, described)
    await assert_evidence_is_followed(site, described)


async def test_figures_of_a_lost_log_are_not_shown_again(site: Site, bus: Bus, database: Database) -> None:
    """The topic of facts is made anew, and another report has the id of one that was lost: its figures count."""
    assert b'"value": "30000000000000000000.07"' in (await site.ask(RESULTS, query={"as_of": AT})).content
    await bus.recreate_topics(FACTS.name)
    database[STORED_FACTS].drop()
    facts = [{**fact, "receiptid": f"f{fact['receiptid'][1:]}"} for fact in site.facts]
    facts[1]["data"] = a_report("s-2", loans="4.25", corrects="s-1")["data"]
    for fact in facts:
        recorded_at = datetime.fromisoformat(fact["recordedtime"])
        await bus.publish(FACTS.name, without_recordedtime(fact), key=fact["subject"], recorded_at=recorded_at)

    async def has_the_new_figure() -> bool:
        answer = await site.ask(RESULTS, query={"as_of": AT})
        return answer.status_code == 200 and b'"value": "4.25"' in answer.content

    await eventually(has_the_new_figure, "the figure that is in the log now", timeout=60)


async def assert_results_are_those_of_the_command(site: Site, described: Json) -> None:
    """Byte for byte, at any instant; with the same tag as long as nothing changes."""
    last = site.facts[-1]["recordedtime"]
    for at, known_at in ((AT, AT), (AT, site.facts[1]["recordedtime"]), (site.facts[2]["recordedtime"], last)):
        answer = await site.ask(RESULTS, query={"as_of": at, "known_at": known_at})
        assert answer.status_code == 200, answer.text
        assert answer.content == site.print_results(at=at, known_at=known_at)
        jsonschema.validate(answer.json(), {**described, "$ref": "#/components/schemas/Results"})
    assert b'"value": "30000000000000000000.07"' in answer.content
    again = await site.ask(RESULTS, query={"as_of": at, "known_at": known_at}, if_none_match=answer.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    now = await site.ask(RESULTS)
    assert now.headers["etag"].startswith("W/")
    assert (await site.ask(RESULTS, if_none_match=now.headers["etag"])).status_code == 304
    table = await site.ask(RESULTS, query={"as_of": AT}, accept="text/csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.text.splitlines()[1].startswith(f"{plans.PLAN},2024,results,loans,million_vnd,stock,h-mot,3000")


async def assert_results_are_asked_for_within_bounds(site: Site) -> None:
    """What is asked wrongly is named, and what is not there is not found."""
    for query, status in (
        ({"obligation": plans.OBLIGATION}, 200),
        ({"obligation": "other"}, 404),
        ({"asof": AT}, 400),
        ({"as_of": "2024-12-20"}, 400),
    ):
        assert (await site.ask(RESULTS, query=query)).status_code == status, query
    for path in (RESULTS.replace(plans.PLAN, "P-2"), RESULTS.replace("2024", "2024-13")):
        assert (await site.ask(path)).status_code == 404, path


async def assert_a_submission_has_its_history(site: Site, described: Json) -> None:
    """The event stands as it was recorded, with its duty, and with what corrects it once that was known."""
    answers = [await site.ask(f"/v1/submissions/{number:032x}", query={"as_of": AT}) for number in range(2)]
    corrected, correction = (answer.json() for answer in answers)
    jsonschema.validate(corrected, {**described, "$ref": "#/components/schemas/Submission"})
    assert (corrected["stands"], correction["stands"]) == (False, True)
    assert [one["id"] for one in corrected["corrected_by"]] == ["s-2"]
    assert (correction["corrects"]["id"], correction["duty"]["status"]) == ("s-1", "on_time")
    assert corrected["event"] == without_recordedtime(site.facts[0])
    query = {"as_of": AT, "known_at": site.facts[0]["recordedtime"]}
    before = (await site.ask(f"/v1/submissions/{0:032x}", query=query)).json()
    assert (before["stands"], before["corrected_by"]) == (True, [])
    withdrawn = (await site.ask(f"/v1/submissions/{2:032x}", query={"as_of": AT})).json()
    assert [(one["type"], one["id"]) for one in withdrawn["acts"]] == [("vn.dondoc.report.withdrawn.v1", "w-1")]
    for receiptid, known_at in (("0", AT), (f"{3:032x}", AT), (f"{1:032x}", site.facts[0]["recordedtime"])):
        answer = await site.ask(f"/v1/submissions/{receiptid}", query={"as_of": AT, "known_at": known_at})
        assert answer.status_code == 404, receiptid


async def assert_attached_files_are_opened(site: Site) -> None:
    """Only files that the submission names, only after their bytes were checked, and never to be run by a browser."""
    path = f"/v1/submissions/{0:032x}/attachments"
    stored = site.files / DIGEST[:2] / DIGEST
    assert (await site.ask(f"{path}/{DIGEST}")).status_code == 404
    stored.parent.mkdir()
    stored.write_bytes(FILE)
    opened = await site.ask(f"{path}/{DIGEST.upper()}")
    assert (opened.status_code, opened.content) == (200, FILE)
    assert opened.headers["content-type"] == "application/pdf"
    assert opened.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in opened.headers["content-security-policy"]
    assert opened.headers["content-disposition"].startswith("attachment; filename*=UTF-8''B%C3%A1o%20c%C3%A1o%20%22")
    for other in ("0" * 64, "1" * 64, "..%2f..%2fetc%2fpasswd", "x"):
        assert (await site.ask(f"{path}/{other}")).status_code == 404, other
    assert (await site.ask(f"/v1/submissions/{1:032x}/attachments/{DIGEST}")).status_code == 404
    stored.write_bytes(FILE + b"!")
    assert (await site.ask(f"{path}/{DIGEST}")).status_code == 404


async def assert_an_agency_reads_its_own(site: Site) -> None:
    """Of results its own figures and the totals; of submissions its own; whoever has no key nothing."""
    query = {"as_of": site.facts[2]["recordedtime"], "known_at": site.facts[2]["recordedtime"]}
    (obligation,) = (await site.ask(RESULTS, query=query, authorization=site.agency)).json()["obligations"]
    (loans,) = obligation["indicators"]
    assert (loans["total"], loans["agencies"]) == ("30000000000000000000.27", 2)
    assert [one["agency"] for one in (*loans["figures"], *obligation["sections"][0]["texts"])] == ["h-hai", "h-hai"]
    own, other = f"/v1/submissions/{2:032x}", f"/v1/submissions/{0:032x}"
    for path, status in ((own, 200), (other, 403), (f"{other}/attachments/{DIGEST}", 403)):
        assert (await site.ask(path, authorization=site.agency)).status_code == status, path
    for path in (RESULTS, own, f"{other}/attachments/{DIGEST}"):
        assert (await site.ask(path, authorization="")).status_code == 401, path


async def assert_figures_are_reviewed(site: Site, described: Json) -> None:
    """What is a thousandfold of the agency's own figure of last year is shown, with the event that it came with."""
    answer = (await site.ask(RESULTS.replace("results", "findings"), query={"as_of": AT})).json()
    jsonschema.validate(answer, {**described, "$ref": "#/components/schemas/Findings"})
    (finding,) = answer["findings"]
    assert (finding["agency"], finding["kind"], finding["id"]) == ("h-mot", "thousandfold", "s-2")


async def assert_agencies_are_evaluated(site: Site, described: Json) -> None:
    """The rules grade with a reason; what an officer records stands beside that grade, and replaces nothing."""
    path = RESULTS.replace("results", "evaluations")
    officer = {"authorization": site.officer}
    body = {"agency": "h-mot", "grade": "D", "sentence": "Số liệu tăng bất thường."}
    async with httpx.AsyncClient(base_url=site.service.url, timeout=30) as client:
        for headers, sent, status in (
            (site.readers.headers, body, 403),
            (officer, body | {"grade": "Z"}, 422),
            (officer, body | {"agency": "h-ba"}, 404),
            (officer, body | {"other": 1}, 422),
            (officer, body, 201),
        ):
            assert (await client.post(path, json=sent, headers=headers)).status_code == status, sent

    async def find_recorded() -> list[Json]:
        found: list[Json] = (await site.ask(path)).json()["recorded"]
        return found

    (recorded,) = await eventually(find_recorded, "the evaluation")
    assert (recorded["grade"], recorded["sentence"], recorded["evaluated_by"]) == ("D", body["sentence"], plans.PLAN)
    answer = (await site.ask(path, query={"as_of": AT})).json()
    jsonschema.validate(answer, {**described, "$ref": "#/components/schemas/Evaluations"})
    assert {one["agency"]: one["grade"] for one in answer["grades"]} == {"h-mot": "A", "h-hai": "D"}
    assert answer["grades"][0]["reason"]
    assert answer["recorded"] == []


async def assert_evidence_is_followed(site: Site, described: Json) -> None:
    """From the sentence to the event, from the event to what rests on it, and from one instant to another."""
    since = (RECORDED - timedelta(hours=1)).isoformat()
    await evidence_questions.assert_a_duty_is_explained(site.ask, described, AT)
    await evidence_questions.assert_an_event_is_followed(site.ask, described, site.facts[1], AT)
    await evidence_questions.assert_documents_are_shown(site.ask, described)
    await evidence_questions.assert_instants_are_compared(site.ask, described, since, AT)
    await evidence_questions.assert_an_agency_follows_its_own_alone(site.ask, site.agency, since)
    await evidence_questions.assert_pages_are_drawn(site.ask, site.agency, AT)
    corrected = (await site.ask(f"/v1/submissions/{1:032x}", query={"as_of": AT})).json()
    assert {one["part"] for one in corrected["differences"]} >= {"number", "indicator"}
