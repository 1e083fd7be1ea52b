"""A dry run answers how rules would assess an event, and records nothing."""

from collections.abc import Callable
from pathlib import Path

import httpx

from schemas.events.topics import FACTS
from tests.support.builders.plans import Json, a_submission, a_withdrawal, an_exemption, an_extension
from tests.support.servers.intake import BATCH, encode_event, open_client
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Launcher, Service

DRY = "/v1/events?dry_run=true"


async def test_a_dry_run_records_nothing_and_says_when_rules_is_away(client: httpx.AsyncClient, published: Bus) -> None:
    """Only rules can assess completeness, so without it a dry run is answered with 503."""
    answer = await client.post(DRY, content=encode_event(a_submission()))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert await published.records(FACTS.name) == []


async def test_a_dry_run_says_what_is_missing_before_the_deadline_does(
    start_intake: Callable[..., Service], launch: Launcher, bearer: str, published: Bus
) -> None:
    """Events of every type are assessed, alone and in a batch, and nothing is recorded."""
    rules = launch("rules")
    empty: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
    lacking = a_submission(data={"content": empty})
    moved = an_extension("e-1", "2024-12-20T00:00:00+07:00")
    others = [
        a_withdrawal("w-1", "s-1"),
        moved,
        an_exemption("x-1", "2024-12-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00"),
    ]
    async with open_client(start_intake(DONDOC_INTAKE_RULES_URL=rules.url), bearer) as client:
        answer = (await client.post(DRY, content=encode_event(lacking))).json()
        assert (answer["dry_run"], answer["missing"]) == (True, ["sections.results"])
        assert answer["findings"] == []
        answer = await client.post(DRY, content=encode_event([lacking, *others]), headers={"content-type": BATCH})
        assert answer.status_code == 200, answer.text
        due = [one["segment"] and one["segment"]["due_at"][:13] for one in answer.json()["answers"]]
        assert due == ["2024-12-09T17", "2024-12-09T17", "2024-12-19T17", None]
    tried = {event["id"] for event in (lacking, *others)}
    assert [one for one in await published.records(FACTS.name) if one.json["id"] in tried] == []


async def test_rules_answers_the_key_that_it_shares_with_intake(
    start_intake: Callable[..., Service], launch: Launcher, bearer: str, tmp_path: Path
) -> None:
    """With a key set, rules answers intake that has it, and tells nobody else the state of a duty."""
    key = "a secret between intake and rules"
    rules = launch("rules", DONDOC_DRY_RUN_KEY=key)
    with httpx.Client(base_url=rules.url) as stranger:
        assert stranger.post("/v1/dry-run", json=a_submission()).status_code == 401
    for number, (given, status) in enumerate([(key, 200), ("", 503), (key + "x", 503)]):
        settings = {"DONDOC_DRY_RUN_KEY": given, "DONDOC_INTAKE_SPOOL": str(tmp_path / f"spool-{number}")}
        async with open_client(start_intake(DONDOC_INTAKE_RULES_URL=rules.url, **settings), bearer) as client:
            assert (await client.post(DRY, content=encode_event(a_submission()))).status_code == status


async def test_a_dry_run_of_an_identity_with_other_content_says_so(client: httpx.AsyncClient, published: Bus) -> None:
    """A dry run of a conflicting event is refused with 409 like the event itself; a repeat is passed on to rules."""
    await client.post("/v1/events", content=encode_event(a_submission()))
    other = a_submission(data={"document": {**a_submission()["data"]["document"], "title": "khác"}})
    answers = [await client.post(DRY, content=encode_event(event)) for event in (other, a_submission())]
    assert [answer.status_code for answer in answers] == [409, 503]
    assert answers[0].json()["errors"][0]["pointer"] == "/id"
    assert len(await published.records(FACTS.name)) == 1
