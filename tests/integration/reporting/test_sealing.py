"""A sealed version is in the log whole or not at all, once, and for good; the topic alone gives it back."""

import asyncio
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from schemas.events import reports
from schemas.events.assessments import Status
from schemas.events.topics import REPORTS
from services.console.main import app
from services.reporting.core.sealing import check_code
from services.reporting.core.timeline import AssessmentRevision
from services.reporting.sealing import report_decoder
from services.runtime import clock
from tests.support.assertions.eventually import eventually
from tests.support.builders.annual_report import AS_OF, a_key, a_revision, a_timeline, a_year
from tests.support.clients.readers import ReadersFile
from tests.support.faults import fault_plan
from tests.support.servers.kafka import Bus, Record
from tests.support.servers.mongo import Database
from tests.support.servers.services import Service

PLAN, PERIOD = "6766-KH-UBND", "2026"
REPORTS_PATH = f"/v1/plans/{PLAN}/periods/{PERIOD}/reports"
AT = AS_OF.isoformat()
FORMATS = ["figures", "docx", "pdf", "xlsx", "csv", "json"]
CORRECTION = "correction-of-h-03"
LINK_LIFETIME = timedelta(days=60)  # the clock of reporting is steered to the end of the year
HEADERS: dict[str, str] = {}
Json = dict[str, Any]

StartReporting = Callable[..., Service]
PublishEvents = Callable[..., Awaitable[None]]


@pytest.fixture
async def start(reporting: StartReporting, publish_events: PublishEvents, tmp_path: Path) -> StartReporting:
    """Publish a year, and return a function that starts reporting at its end."""
    clock.steer(tmp_path / "clock", AS_OF)
    revisions, attempts = a_year()
    await publish_events([*revisions, *(one for several in attempts.values() for one in several)])
    return lambda **options: reporting(DONDOC_CLOCK=f"steered:{tmp_path / 'clock'}", **options)


@pytest.fixture(autouse=True)
def officer(readers: ReadersFile) -> Iterator[None]:
    """Let the requests of these tests be those of a reader who may seal."""
    HEADERS["authorization"] = f"Bearer {readers.create('all', name='officer', permits=('seals',))}"
    yield
    HEADERS.clear()


@pytest.fixture
def archive(readers: ReadersFile) -> Mapping[str, str]:
    """The headers of a reader who sees sealed reports alone."""
    return {"authorization": f"Bearer {readers.create('sealed', name='archive')}"}


async def post(service: Service, signer: str = "Nguyễn Văn An", **members: Any) -> httpx.Response:
    """Ask *service* to seal the next version."""
    async with httpx.AsyncClient(base_url=service.url, timeout=60, headers=HEADERS) as client:
        return await client.post(REPORTS_PATH, json={"signer": signer, **members})


async def get(service: Service, path: str = REPORTS_PATH, **query: str) -> httpx.Response:
    """Ask *service* about sealed versions."""
    async with httpx.AsyncClient(base_url=service.url, timeout=60, headers=HEADERS) as client:
        return await client.get(path, params=query)


async def read_documents(service: Service, version: int) -> dict[str, bytes]:
    """Return every document of a version, each checked against the digest that the seal names."""
    sealed = (await get(service, f"{REPORTS_PATH}/{version}")).json()
    found = {}
    for entry in sealed["documents"]:
        answer = await get(service, f"{REPORTS_PATH}/{version}", format=entry["format"])
        assert (answer.status_code, hashlib.sha256(answer.content).hexdigest()) == (200, entry["sha256"])
        found[entry["format"]] = answer.content
    return found


def seals(records: list[Record]) -> list[Json]:
    """Return what the records say that seal a version."""
    return [record.json["data"] for record in records if record.json["type"] == reports.SEALED]


async def test_a_version_is_frozen_and_the_next_lists_what_changed(
    start: StartReporting,
    publish_events: PublishEvents,
    bus: Bus,
    database: Database,
    tmp_path: Path,
) -> None:
    """A later fact changes no sealed version; it is in the draft of the next, and the topic alone gives both back."""
    service = start()
    first = await post(service)
    assert (first.status_code, first.headers["location"]) == (201, f"{REPORTS_PATH}/1")
    documents = await read_documents(service, 1)
    assert list(documents) == FORMATS
    assert first.json()["figures_sha256"] == hashlib.sha256(documents["figures"]).hexdigest()
    assert (await get(service)).json()["draft"] == {"version": 2, "as_of": AT, "known_at": AT, "changes": []}

    clock.steer(tmp_path / "clock", AS_OF + timedelta(days=1))
    await publish_events([a_late_report()])
    await eventually(partial(has_changed_draft, service), "the later fact in the draft")
    assert (await post(service)).status_code == 201
    changes = (await get(service, f"{REPORTS_PATH}/2")).json()["changes"]
    (status,) = [one for one in changes if one["code"] == "status"]
    assert (status["agency"], status["after"], status["events"]) == ("h-03", "late", [CORRECTION])
    assert await read_documents(service, 1) == documents
    await assert_second_version_says_what_changed(service)

    before, second = (await get(service)).json(), await read_documents(service, 2)
    service.stop()
    database.drop()
    rebuilt = start()
    assert (await get(rebuilt)).json() == before
    assert (await read_documents(rebuilt, 1), await read_documents(rebuilt, 2)) == (documents, second)
    await assert_repeated_request_makes_no_version(rebuilt, latest=2)
    await assert_refusals_name_the_reason(rebuilt)
    await assert_code_opens_its_page(rebuilt, before["reports"][0])
    assert_every_code_is_that_of_its_head(await bus.records(REPORTS.name))


async def assert_second_version_says_what_changed(service: Service) -> None:
    """The sealed documents list it, as the draft had done; the metrics tell of two seals and of the last one's time."""
    second = json.loads((await read_documents(service, 2))["json"])
    changed = second["changes"]["figures"]["annual-results/2026/agencies/h-03/status"]
    assert (second["changes"]["since_version"], changed["after"], changed["evidence"]) == (1, "late", [CORRECTION])
    printed = PdfReader(io.BytesIO((await read_documents(service, 2))["pdf"]))
    text = "".join(page.extract_text() for page in printed.pages)
    assert "Thay đổi so với phiên bản 01" in unicodedata.normalize("NFC", text)
    async with httpx.AsyncClient(base_url=service.url) as client:
        metrics = (await client.get("/metrics")).text
    assert 'reporting_seals_total{outcome="sealed"} 2.0' in metrics
    sealed_at = datetime.fromisoformat((await get(service)).json()["reports"][1]["sealed_at"])
    found = re.search(r"^reporting_last_seal_timestamp_seconds (\S+)$", metrics, re.MULTILINE)
    assert found is not None
    assert float(found[1]) == sealed_at.timestamp()


def a_late_report() -> AssessmentRevision:
    """The assessment that follows from a report of h-03, recorded an hour after the first version was sealed."""
    timeline = a_timeline(Status.LATE, effective_at=AS_OF, evidence=(CORRECTION,))
    return a_revision(key=a_key("h-03"), timeline=timeline, revision=999, recorded_at=AS_OF + timedelta(hours=1))


async def has_changed_draft(service: Service) -> bool:
    """Whether the draft of the next version differs from the newest."""
    return bool((await get(service)).json()["draft"]["changes"])


async def assert_repeated_request_makes_no_version(service: Service, *, latest: int) -> None:
    """The number that a request expects makes it safe to send again; another signer's expectation is a conflict."""
    made, repeated = await post(service, version=latest + 1), await post(service, version=latest + 1)
    assert (made.status_code, repeated.status_code, repeated.json()) == (201, 200, made.json())
    other = await post(service, signer="Trần Thị Bình", version=latest + 1)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/version-conflict")
    assert len((await get(service)).json()["reports"]) == latest + 1


async def assert_refusals_name_the_reason(service: Service) -> None:
    """No signer, no JSON, an instant that has not come, an unknown plan, a wrong number."""
    async with httpx.AsyncClient(base_url=service.url, timeout=60, headers=HEADERS) as client:
        nobody = await client.post(REPORTS_PATH, json={"signer": " "})
        nothing = await client.post(REPORTS_PATH, content=b"{")
        ahead = await client.post(f"{REPORTS_PATH}?as_of=2027-01-01T00:00:00Z", json={"signer": "An"})
        unknown = await client.post("/v1/plans/NONE/periods/2026/reports", json={"signer": "An"})
    assert (nobody.status_code, nobody.json()["errors"][0]["pointer"]) == (422, "/signer")
    assert (nothing.status_code, ahead.status_code, unknown.status_code) == (400, 400, 404)
    assert (await get(service, f"{REPORTS_PATH}/9")).status_code == 404
    assert (await get(service, f"{REPORTS_PATH}/one")).status_code == 404


async def assert_only_sealers_seal(service: Service, readers: ReadersFile, archive: Mapping[str, str]) -> None:
    """A reader of sealed reports alone reads versions and no draft; no other reader seals, and nobody without a key."""
    async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
        seen = await client.get(REPORTS_PATH, headers=archive)
        refused = await client.post(REPORTS_PATH, headers=readers.headers, json={"signer": "An"})
        unknown = await client.post(REPORTS_PATH, json={"signer": "An"})
    assert (seen.json()["draft"], len(seen.json()["reports"])) == (None, 4)
    assert (refused.status_code, unknown.status_code) == (403, 401)


async def assert_officer_seals_on_the_page(service: Service, readers: ReadersFile) -> None:
    """The officer's session shows the versions, and its form seals the next; without the form's token it does not."""
    path, link = f"/reports/{PLAN}/{PERIOD}", readers.sign_link("officer", service.url, lifetime=LINK_LIFETIME)
    async with httpx.AsyncClient(base_url=service.url, timeout=60) as browser:
        await browser.get(link)
        page = (await browser.get(path)).text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
        assert (fields["version"], page.count("/verify/")) == ("5", 4)
        forged = await browser.post(path, data={**fields, "form_token": "", "signer": "An"})
        nameless = await browser.post(f"{path}?lang=vi", data={**fields, "signer": "An\x00"})
        assert (nameless.status_code, "Hãy ghi họ tên người ký" in nameless.text) == (422, True)
        stale = await browser.post(f"{path}?lang=en", data={**fields, "version": "9", "signer": "An <b>"})
        assert (stale.status_code, "Another version was sealed" in stale.text) == (409, True)
        assert 'value="An &lt;b&gt;"' in stale.text
        sealed = await browser.post(path, data={**fields, "signer": "Nguyễn Văn An"})
        assert (forged.status_code, sealed.status_code) == (403, 303)
        page = (await browser.get(sealed.headers["location"])).text
        assert (page.count("/verify/"), 'role="status">' in page) == (5, True)


async def assert_command_seals(service: Service) -> None:
    """`dondoc seal` prints the seal of the next version; what cannot be sealed is unusable input."""
    key = {"DONDOC_READER_KEY": HEADERS["authorization"].removeprefix("Bearer ")}
    command = ["seal", PLAN, PERIOD, "--signer", "Trần Thị Bình", "--url", service.url]
    sealed = await asyncio.to_thread(CliRunner().invoke, app, command, env=key)
    assert (sealed.exit_code, json.loads(sealed.stdout)["version"]) == (0, 6), sealed.output
    command[1] = "NONE"
    assert (await asyncio.to_thread(CliRunner().invoke, app, command, env=key)).exit_code == 2


async def assert_code_opens_its_page(service: Service, sealed: Json) -> None:
    """A check code, as people type it, opens version, signer, time and digests; no agency, and no figure."""
    typed = sealed["check_code"].lower().replace("-", " ")
    async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
        data = await client.get(f"/verify/{sealed['check_code']}")
        page = await client.get(f"/verify/{typed}", headers={"accept": "text/html", "accept-language": "vi"})
        unknown = await client.get("/verify/00000-00000-00000-00000")
    closed = {"offsets", "plan_version", "registry", "registry_version"}
    assert data.json() == {name: value for name, value in sealed.items() if name not in closed}
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    digests = [sealed["figures_sha256"], *(one["sha256"] for one in sealed["documents"])]
    assert [one for one in (sealed["check_code"], sealed["signer"], *digests) if one not in page.text] == []
    assert ("h-03" in page.text, unknown.status_code) == (False, 404)


def assert_every_code_is_that_of_its_head(records: list[Record]) -> None:
    """The check code of each version can be computed again from its event."""
    sealed = [report_decoder.decode_seal(one.value) for one in records if one.json["type"] == reports.SEALED]
    assert [check_code.compute_check_code(one) for one in sealed] == [one.check_code for one in sealed]
    assert {one.key for one in records} == {f"{PLAN}|{PERIOD}".encode()}


async def test_a_seal_that_was_changed_in_the_database_is_refused_until_the_log_gives_it_back(
    start: StartReporting, database: Database
) -> None:
    """Another figure, another signer, another digest: none is answered with, on the page of the check code neither."""
    service = start()
    made = (await post(service)).json()
    code, digest = made["check_code"], made["figures_sha256"].encode()
    document, version, verification = f"{REPORTS_PATH}/1?format=figures", f"{REPORTS_PATH}/1", f"/verify/{code}"
    seal, figures = (
        database.documents("sealed_reports")[0],
        database["sealed_documents"].find_one({"_id": {"$regex": "figures"}}),
    )
    assert figures is not None
    for collection, stored, field, old, new, refused in (
        ("sealed_documents", figures, "content", b'"value":', b'"value":9', [document]),
        ("sealed_reports", seal, "record", "Nguyễn Văn An".encode(), b"Tran Van Binh", [version, verification]),
        ("sealed_reports", seal, "record", digest, bytes(reversed(digest)), [version, verification]),
    ):
        changed = stored[field].replace(old, new, 1)
        assert changed != stored[field]
        database[collection].update_one({"_id": stored["_id"]}, {"$set": {field: changed}})
        for path in refused:
            answer = await get(service, path)
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/damaged-seal"), answer.text
        database[collection].update_one({"_id": stored["_id"]}, {"$set": {field: stored[field]}})
    sealed = (await get(service, document)).content
    database["sealed_documents"].update_one({"_id": figures["_id"]}, {"$set": {"content": b"{}"}})
    service.stop()
    database.drop()
    assert (await get(start(), document)).content == sealed


@pytest.mark.chaos
async def test_two_replicas_make_one_version_of_a_number(
    archive: Mapping[str, str], start: StartReporting, bus: Bus, readers: ReadersFile
) -> None:
    """Of two that seal the same number at once one wins; the log never holds a second version of that number."""
    replicas = [start(), start()]
    for number in (1, 2):
        asked = (post(one, signer=f"Signer {place}", version=number) for place, one in enumerate(replicas))
        assert sorted(one.status_code for one in await asyncio.gather(*asked)) == [201, 409]
    await asyncio.gather(*(post(one) for one in replicas))
    assert [one["version"] for one in seals(await bus.records(REPORTS.name))] == [1, 2, 3, 4]
    await assert_only_sealers_seal(replicas[0], readers, archive)
    await assert_officer_seals_on_the_page(replicas[0], readers)
    await assert_command_seals(replicas[0])


@pytest.mark.chaos
async def test_a_version_is_whole_or_not_there(start: StartReporting, bus: Bus) -> None:
    """Killed before its transaction commits nothing is sealed, killed after it all is; asked again, one version is."""
    commit = ("aiokafka.producer.producer", "AIOKafkaProducer.commit_transaction")
    for kill, versions in ((fault_plan.kill_before, []), (fault_plan.kill_after, [1])):
        doomed = start(faults=[kill(*commit)])
        with pytest.raises(httpx.TransportError):
            await post(doomed, version=1)
        await doomed.wait_until_ended()
        assert [one["version"] for one in seals(await bus.records(REPORTS.name))] == versions
    service = start()
    answer = await post(service, version=1)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert list(await read_documents(service, 1)) == FORMATS
    assert [one["version"] for one in seals(await bus.records(REPORTS.name))] == [1]
