"""What is asked of a running reporting about evidence: one duty, one event, published documents, two instants."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jsonschema

from tests.support.builders import plans
from tests.support.builders.plans import Json

Ask = Callable[..., Awaitable[httpx.Response]]

DUTY = f"/v1/duties/{plans.PLAN}/h-mot/{plans.OBLIGATION}/2024"
CHANGES = f"/v1/plans/{plans.PLAN}/periods/2024/changes"


async def assert_a_duty_is_explained(ask: Ask, described: Json, at: str) -> None:
    """Status, sentence, timeline, facts and differences, each half-sentence with the ids of the events behind it."""
    duty = (await ask(DUTY, query={"as_of": at})).json()
    jsonschema.validate(duty, {**described, "$ref": "#/components/schemas/DutyEvidence"})
    assert (duty["status"], duty["evidence"], duty["citation"]["clause"]) == ("on_time", ["s-1", "s-2"], "III.1")
    assert duty["sentence"].startswith("On time: report No. s-1/BC is complete, received at 10:00 on 8 December 2024;")
    assert duty["parts"][1]["events"] == ["s-1"]
    assert [(one["id"], one["stands"]) for one in duty["facts"]] == [("s-1", False), ("s-2", True)]
    assert {one["part"] for one in duty["facts"][1]["differences"]} >= {"number", "indicator"}
    assert duty["facts"][1]["content"]["indicators"] == {"loans": "30000000000000000000.07"}
    assert [one["status"] for one in duty["timeline"]][:2] == ["pending", "on_time"]
    withdrawn = (await ask(DUTY.replace("h-mot", "h-hai"), query={"as_of": at, "lang": "vi"})).json()
    assert "đã được rút lại" in withdrawn["sentence"]
    for path, status in (
        (DUTY.replace("2024", "-"), 404),
        (DUTY.replace("2024", "x"), 404),
        (DUTY.replace("h-mot", "h-no"), 404),
        (DUTY.replace(plans.PLAN, "P-9"), 404),
    ):
        assert (await ask(path)).status_code == status, path
    assert (await ask(DUTY, query={"sort": "x"})).status_code == 400


async def assert_an_event_is_followed(ask: Ask, described: Json, fact: Json, at: str) -> None:
    """By its id and by its receipt, as it was recorded, with what names it and what rests on it."""
    by_id = await ask("/v1/events/s-2", query={"as_of": at})
    by_receipt = await ask(f"/v1/events/{1:032x}", query={"as_of": at})
    by_source = await ask("/v1/events/s-2", query={"as_of": at, "source": fact["source"]})
    assert by_id.json() == by_receipt.json() == by_source.json()
    event = by_id.json()
    jsonschema.validate(event, {**described, "$ref": "#/components/schemas/EventEvidence"})
    assert event["event"] == {name: value for name, value in fact.items() if name != "recordedtime"}
    assert (event["stands"], event["corrects"]["id"], event["receipt"]["receiptid"]) == (True, "s-1", f"{1:032x}")
    assert [(one["agency"], one["period"], one["status"]) for one in event["duties"]] == [("h-mot", "2024", "on_time")]
    for query, status in (({"source": "other"}, 404), ({"as_of": "2024-12-01T00:00:00Z"}, 404), ({"q": "x"}, 400)):
        assert (await ask("/v1/events/s-2", query=query)).status_code == status, query


async def assert_documents_are_shown(ask: Ask, described: Json) -> None:
    """The published plan and registry, by version."""
    plan = (await ask(f"/v1/plans/{plans.PLAN}")).json()
    jsonschema.validate(plan, {**described, "$ref": "#/components/schemas/PublishedPlan"})
    assert (plan["version"], plan["versions"], plan["changes"][0]["differences"]) == (1, [1], [])
    assert plan["document"]["obligations"][0]["citation"]["clause"] == "III.1"
    registry = (await ask(f"/v1/registries/{plans.REGISTRY}", query={"version": 1})).json()
    jsonschema.validate(registry, {**described, "$ref": "#/components/schemas/PublishedRegistry"})
    assert [one["id"] for one in registry["document"]["agencies"]] == ["h-mot", "h-hai"]
    for query, status in (
        ({"version": "2"}, 404),
        ({"version": "x"}, 400),
        ({"at": "x"}, 400),
        ({"known_at": "2100-01-01T00:00:00Z"}, 200),
        ({"known_at": "2000-01-01T00:00:00Z"}, 404),
    ):
        for path in (f"/v1/plans/{plans.PLAN}", f"/v1/registries/{plans.REGISTRY}"):
            assert (await ask(path, query=query)).status_code == status, (path, query)
    assert (await ask("/v1/registries/other")).status_code == 404


async def assert_instants_are_compared(ask: Ask, described: Json, since: str, at: str) -> None:
    """What changed since: statuses with the events behind them, and figures."""
    changes = (await ask(CHANGES, query={"since": since, "as_of": at})).json()
    jsonschema.validate(changes, {**described, "$ref": "#/components/schemas/Changes"})
    assert [(one["agency"], one["before"], one["after"]) for one in changes["duties"]] == [
        ("h-hai", "pending", "overdue"),
        ("h-mot", "pending", "on_time"),
    ]
    assert changes["duties"][1]["events"] == ["s-1", "s-2"]
    loans = [(one["agency"], one["before"], one["after"]) for one in changes["figures"]]
    assert loans == [(None, "0", "30000000000000000000.07"), ("h-mot", None, "30000000000000000000.07")]
    assert (changes["unchanged"], changes["counts"]["overdue"]) == (0, {"before": 0, "after": 1})
    assert (await ask(CHANGES)).status_code == 400


async def assert_an_agency_follows_its_own_alone(ask: Ask, agency: str, since: str) -> None:
    """h-hai reads its own duty and event, its own changes, of the registry itself, and of nobody else anything."""
    own: dict[str, Any] = {"authorization": agency}
    for path, status in (
        (DUTY.replace("h-mot", "h-hai"), 200),
        (DUTY, 403),
        ("/v1/events/s-3", 200),
        ("/v1/events/s-2", 403),
        (f"/v1/events/{1:032x}", 403),
        (f"/v1/plans/{plans.PLAN}", 200),
    ):
        assert (await ask(path, **own)).status_code == status, path
    registry = (await ask(f"/v1/registries/{plans.REGISTRY}", **own)).json()
    assert [one["id"] for one in registry["document"]["agencies"]] == ["h-hai"]
    changes = (await ask(CHANGES, query={"since": since}, **own)).json()
    assert {one["agency"] for one in changes["duties"]} == {"h-hai"}
    for path in (DUTY, "/v1/events/s-2", f"/v1/plans/{plans.PLAN}", CHANGES):
        assert (await ask(path, authorization="")).status_code == 401, path


async def assert_pages_are_drawn(ask: Ask, agency: str, at: str) -> None:
    """Every page of evidence, to whoever may see it; the form of the time bar sends local times."""
    own: dict[str, Any] = {"authorization": agency, "accept": "text/html"}
    for path, status_of_agency in (
        (DUTY.removeprefix("/v1"), 403),
        (DUTY.removeprefix("/v1").replace("h-mot", "h-hai"), 200),
        ("/agencies/h-mot", 403),
        ("/agencies/h-hai", 200),
        ("/events/s-2", 403),
        (f"/plans/{plans.PLAN}", 200),
        (f"/registries/{plans.REGISTRY}", 200),
        ("/changes", 200),
        ("/status", 200),
    ):
        page = await ask(path, query={"as_of": at, "lang": "vi"}, accept="text/html")
        assert page.status_code == 200, (path, page.text)
        assert 'class="banner"' in page.text, path
        assert (await ask(path, **own)).status_code == status_of_agency, path
        assert (await ask(path, authorization="", accept="text/html")).status_code == 401, path
    local = await ask("/agencies/h-mot", query={"as_of": "2024-12-08T09:30", "zone": "Asia/Ho_Chi_Minh"})
    assert "as_of=2024-12-08T09%3A30%3A00%2B07%3A00" in local.text
