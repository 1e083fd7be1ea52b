"""The officer's page on running services: returned, accepted and graded once, with nothing lost that was typed."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from schemas.events.facts import ACCEPTED, RETURNED, SUBMITTED
from schemas.events.topics import FACTS, REPORTS, VERDICTS
from schemas.plan.grading import GradeRule
from services.console.support import key_scopes, seeding
from services.intake.http import api_keys
from services.runtime.kafka.published_documents import PLAN, REGISTRY, publish_document
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.builders.plans import Json
from tests.support.clients.readers import ReadersFile
from tests.support.servers import intake as intake_server
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

PAGE = f"/duties/{plans.PLAN}/h-mot/{plans.OBLIGATION}/2024/review"
REASON = "Chỉ tiêu dư nợ chưa khớp với phụ lục <b>1</b>."
GRADING = tuple(
    GradeRule.model_validate({"grade": grade, "title": {"vi": title}, "when": when})
    for grade, title, when in (("A", "Tốt", "status == 'on_time'"), ("D", "Kém", "true"))
)


@dataclass(frozen=True, slots=True)
class OfficerSite:
    """The services, and the browser of an officer who has opened their link; `others` are keys that may only read."""

    intake: Service
    reporting: Service
    bus: Bus
    keys: Path
    others: Mapping[str, str]
    officer: httpx.Client

    def open_form(self, path: str = PAGE, *, kind: str = "return") -> dict[str, str]:
        """Return the fields of a form of the page as a browser has them before anybody types."""
        page = self.officer.get(path)
        assert page.status_code == 200, page.text
        (form,) = re.findall(
            rf'<form method="post".*?name="answer" value="{kind}".*?</form>', _last(page.text, kind), re.DOTALL
        )
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        chosen = re.search(r'name="submission" value="([^"]*)" required checked', form)
        fields |= {"submission": unescape(chosen[1])} if chosen else {}
        return {name: unescape(value) for name, value in fields.items()} | {"answer": kind}

    def send(self, fields: dict[str, str], **changes: str) -> httpx.Response:
        """Post a form."""
        return self.officer.post(f"{PAGE}?lang=vi", data=fields | changes)

    async def find_answers(self, kind: str) -> list[Json]:
        """Return the events of that type in the log."""
        return [one.json for one in await self.bus.records(FACTS.name) if one.json["type"] == kind]


def _last(page: str, kind: str) -> str:
    """Return the page from the beginning of the form whose button has the value *kind*."""
    return page[page.rindex('<form method="post"', 0, page.index(f'name="answer" value="{kind}"')) :]


@pytest.fixture
async def site(
    launch: Launch, bus: Bus, database: Database, readers: ReadersFile, intake_files: IntakeFiles
) -> AsyncIterator[OfficerSite]:
    """Intake, rules and reporting with its own key, and one late report."""
    keys = intake_files.folder / "keys.json"
    sender = intake_files.add_key()
    bearer = seeding.load_or_create_key("reporting", keys, key_scopes.REPORTING_SCOPE, now=datetime.now(UTC))  # noqa: TID251 - made now
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        obligation = plans.an_obligation().model_copy(update={"recipient": "nhcsxh-tinh"})
        plan = plans.a_plan(obligation).model_copy(update={"grading": GRADING})
        await publish_document(producer, REGISTRY, plans.a_registry(plans.an_agency("h-mot"), plans.an_agency("h-hai")))
        await publish_document(producer, PLAN, plan)
    readers.create("all", name="officer", permits=("reviews",))
    others = {
        name: readers.create(scope, name=name)
        for name, scope in (("reads-all", "all"), ("reads-agency", "agency:h-mot"))
    }
    launch("rules")
    intake = launch("intake", **intake_files.environment)
    reporting = launch(
        "reporting",
        DONDOC_MONGO_URL=database.url,
        DONDOC_REPORTING_MONGO_DATABASE=database.name,
        DONDOC_REPORTING_INTAKE_URL=intake.url,
        DONDOC_REPORTING_INTAKE_KEY=bearer,
    )
    async with intake_server.open_client(intake, sender) as client:
        posted = await client.post("/v1/events", json=plans.a_submission("s-1", source="urn:qlvb"))
        assert posted.status_code == 202, posted.text
    await bus.wait_until_consumed("dondoc-rules", FACTS.name)
    for topic in (FACTS.name, VERDICTS.name):
        await bus.wait_until_consumed("dondoc-reporting", topic)
    with httpx.Client(
        base_url=reporting.url, headers={"accept-language": "vi", "accept": "text/html"}, timeout=60
    ) as officer:
        assert officer.get(readers.sign_link("officer", reporting.url)).status_code == 200
        yield OfficerSite(intake=intake, reporting=reporting, bus=bus, keys=keys, others=others, officer=officer)


async def test_an_officer_answers_a_report(site: OfficerSite) -> None:
    """Everything that the page does, in one run of the three services."""
    await assert_only_who_reviews_sees_the_page(site)
    assert_mistakes_stand_beside_their_fields(site)
    await assert_a_return_is_recorded_once(site)
    await assert_an_acceptance_takes_it_back(site)
    await assert_a_grade_is_recorded_once(site)
    await assert_nothing_typed_is_lost_while_intake_is_away(site)
    await assert_a_refused_key_is_the_operators_business(site)


async def assert_only_who_reviews_sees_the_page(site: OfficerSite) -> None:
    """Whoever may only read gets 403 and an audit line; a form without the token of the session is no form of ours."""
    for name in ("reads-all", "reads-agency"):
        headers = {"authorization": f"Bearer {site.others[name]}"}
        with httpx.Client(base_url=site.reporting.url, headers=headers, timeout=30) as reader:
            assert reader.get(PAGE).status_code == 403
            assert reader.post(PAGE, data={"answer": "return"}).status_code == 403
    other = PAGE.replace("h-mot", "h-ba")
    assert site.officer.get(other).status_code == 404
    assert site.officer.get(PAGE.replace("2024", "2024-13")).status_code == 404
    assert site.officer.get(f"{PAGE}?as_of=2024-12-01T00:00:00Z").status_code == 400
    fields = site.open_form()
    assert site.send(fields, form_token="forged").status_code == 403
    assert site.officer.post(PAGE, content=b"x" * (1024 * 1024 + 1)).status_code == 413
    assert await site.find_answers(RETURNED) == []
    reasons = [line["reason"] for line in site.reporting.log_lines() if line.get("action") == "read_refused"]
    assert [reasons.count(reason) for reason in ("not_permitted", "forged_form")] == [4, 1]


def assert_mistakes_stand_beside_their_fields(site: OfficerSite) -> None:
    """In the caller's language, with what was typed, and markup in it drawn as text."""
    page = site.send(site.open_form(), reason=" ", respond_by="2020-01-01")
    assert page.status_code == 422
    assert 'id="return-reason-error">Hãy ghi lý do' in page.text
    assert 'id="return-respond_by-error">Hạn gửi lại không được trước hôm nay' in page.text
    assert 'value="2020-01-01"' in page.text
    english = site.officer.post(f"{PAGE}?lang=en", data=site.open_form() | {"reason": REASON, "submission": "other"})
    assert english.status_code == 422
    assert "was replaced or withdrawn" in english.text
    assert REASON.replace("<b>1</b>", "&lt;b&gt;1&lt;/b&gt;") in english.text


async def assert_a_return_is_recorded_once(site: OfficerSite) -> None:
    """Pressed twice it is one event, in the recipient's name; the officer's name is in the audit line alone."""
    fields = site.open_form() | {"reason": REASON, "respond_by": "2099-12-20"}
    first, again = site.send(fields), site.send(fields)
    assert [one.status_code for one in (first, again)] == [303, 303]
    page = site.officer.get(first.headers["location"])
    assert page.status_code == 200, page.text
    assert 'role="status">Đã ghi nhận việc trả lại báo cáo' in page.text
    (event,) = await site.find_answers(RETURNED)
    assert (event["source"], event["data"]["submission"]) == ("urn:dondoc:reporting", "s-1")
    assert (event["data"]["returned_by"], event["data"]["reason"]) == ("nhcsxh-tinh", REASON)
    assert event["data"]["respond_by"] == "2099-12-20T17:00:00+00:00"
    assert "officer" not in json.dumps(event)
    lines = [line for line in site.reporting.log_lines() if line.get("action") == "report_answered"]
    assert {(line["reader"], line["outcome"], line["receiptid"]) for line in lines} == {
        ("officer", "recorded", event["receiptid"])
    }
    assert "dư nợ" not in site.reporting.program.log.read_text(encoding="utf-8")
    await eventually(lambda: "Chưa đầy đủ" in site.officer.get(PAGE).text, "the return in the status")


async def assert_an_acceptance_takes_it_back(site: OfficerSite) -> None:
    """The officer accepts what was returned, and the report is late again as it was."""
    assert site.send(site.open_form(kind="accept"), note="").status_code == 303
    (event,) = await site.find_answers(ACCEPTED)
    assert (event["data"]["accepted_by"], event["data"]["note"]) == ("nhcsxh-tinh", "")
    await eventually(lambda: 'class="pill late big"' in site.officer.get(PAGE).text, "the acceptance in the status")
    page = site.officer.get(PAGE).text
    assert page.index("Chấp nhận, ") < page.index("Trả lại, đề nghị hoàn thiện, ")


async def assert_a_grade_is_recorded_once(site: OfficerSite) -> None:
    """Beside the grade by the rules, which the page shows with its reason."""
    fields = site.open_form(kind="grade")
    assert site.send(fields, grade="Z").status_code == 422
    assert [site.send(fields, grade="A", sentence="Đã cố gắng.").status_code for _ in range(2)] == [303, 303]
    await eventually(lambda: "A: Đã cố gắng." in site.officer.get(PAGE).text, "the grade on the page")
    answer = site.officer.get(f"/v1/plans/{plans.PLAN}/periods/2024/evaluations", headers={"accept": "*/*"}).json()
    assert [(one["agency"], one["grade"]) for one in answer["recorded"]] == [("h-mot", "A")]
    assert [one.topic for one in await site.bus.records(REPORTS.dead_letter)] == []


async def assert_nothing_typed_is_lost_while_intake_is_away(site: OfficerSite) -> None:
    """The page says so and keeps the form, which is recorded once when intake is back."""
    site.intake.stop()
    fields = site.open_form() | {"reason": REASON, "respond_by": ""}
    away = site.send(fields)
    assert (away.status_code, "không trả lời" in away.text) == (503, True)
    assert REASON.replace("<b>1</b>", "&lt;b&gt;1&lt;/b&gt;") in away.text
    assert fields["opened_at"] in unescape(away.text)
    site.intake.start()
    assert [site.send(fields).status_code for _ in range(2)] == [303, 303]
    assert len(await site.find_answers(RETURNED)) == 2
    assert len(await site.find_answers(SUBMITTED)) == 1


async def assert_a_refused_key_is_the_operators_business(site: OfficerSite) -> None:
    """The officer is told, nothing typed is lost, and the metric of the alert rises."""
    now = datetime.now(UTC)  # noqa: TID251 - revoked now
    existing = api_keys.read_keys(site.keys)
    revoked = [
        replace(key, revoked_at=now - timedelta(seconds=1)) if key.id == "reporting" else key for key in existing
    ]
    api_keys.write_keys(site.keys, revoked)

    def is_refused() -> bool:
        return "không nhận khóa" in site.send(site.open_form(), reason="Lần khác.").text

    await eventually(is_refused, "the key is refused")
    assert site.reporting.read_metric('reporting_answers_total{answer="return",outcome="key_refused"}') >= 1
