"""Every route of reporting, asked under every scope: what comes back holds nothing of an agency outside the scope.

The routes are those of the application, so a new one is asked too; a part of its path that this test has no value for
fails it. Every agency has a name, a text, a figure, a document, an event and a receipt of its own, which are searched
for in each answer.
"""

import asyncio
import gzip
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote_plus

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from schemas.events.ids import DutyKey
from schemas.events.topics import DELIVERIES, FACTS, REPORTS, VERDICTS
from schemas.plan.grading import GradeRule
from services.reporting import app as reporting
from services.reporting.core.access.decisions import Access
from services.reporting.documents.formats import FORMATS
from services.reporting.http.access.guard import GuardedRoute
from services.reporting.http.security_headers import HEADERS
from services.reporting.settings import ReportingSettings
from services.runtime import clock
from services.runtime.http.server import Halt
from services.runtime.kafka.published_documents import PLAN, REGISTRY, publish_document
from tests.support.builders import plans
from tests.support.builders.annual_report import an_attempt
from tests.support.builders.annual_report_events import a_delivery_event
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

OWN, COLLEAGUE = "own-commune", "towns-0"
GROUPS = {OWN: "towns", **{f"towns-{n}": "towns" for n in range(5)}, **{f"coast-{n}": "coast" for n in range(6)}}
RECEIVED = datetime.fromisoformat("2024-12-08T03:00:00+00:00")
LARGEST_ANSWER = 4 * 1024 * 1024

# What a scope covers: the agencies whose names and figures an answer may hold.
COVERED: Mapping[str, frozenset[str]] = {
    "nobody": frozenset(),
    "agency:own-commune": frozenset({OWN}),
    "group:towns": frozenset(agency for agency, group in GROUPS.items() if group == "towns"),
    "sealed": frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What gives an agency away wherever it stands: each is of this agency alone."""

    agency: str
    receiptid: str
    figure: str
    marks: frozenset[str]

    @classmethod
    def of(cls, number: int, agency: str) -> "Traces":
        receiptid, figure = f"{number + 1:02x}{'abcdef' * 5}", f"7{number:02d}4321.5"
        marks = {
            agency,
            f"Xã {agency}",
            f"e-{agency}",
            receiptid,
            figure,
            figure.replace(".", ","),
            f"Lời của {agency}",
        }
        return cls(agency=agency, receiptid=receiptid, figure=figure, marks=frozenset(marks))

    def find_in(self, text: str) -> set[str]:
        """Return the marks that *text* holds, each as a word of its own."""
        held = (mark for mark in self.marks if mark in text)
        return {mark for mark in held if re.search(rf"(?<![\w-]){re.escape(mark)}(?![\w-])", text)}


NOT_IN_JSON = frozenset({"7074321,5", "7.074.321"})
TRACES = {agency: Traces.of(number, agency) for number, agency in enumerate(GROUPS)}


def alias_of(agency: str) -> str:
    """Return the other name by which the registry knows an agency; it gives the agency away to nobody."""
    return f"cu{GROUPS[agency][0]}{list(GROUPS).index(agency)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request of one reader."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class ScopesSite:
    """A running reporting with readers of every scope, and the check code of a sealed report."""

    service: Service
    keys: Mapping[str, str]
    check_code: str = ""
    answered: int = 0

    def client(self, scope: str) -> httpx.Client:
        """Return a client of a reader of that scope."""
        headers = {} if scope == "nobody" else {"authorization": f"Bearer {self.keys[scope]}"}
        return httpx.Client(base_url=self.service.url, headers=headers, timeout=60)


@pytest.fixture
async def site(launch: Launch, bus: Bus, database: Database, readers: ReadersFile, tmp_path: Path) -> ScopesSite:
    """Rules and reporting, with a report of every agency, alerts, a return, an evaluation and a sealed version."""
    await publish_documents(bus)
    permits = ("reviews",)
    scopes = ["all", *(scope for scope in COVERED if scope != "nobody")]
    keys = {scope: readers.create(scope, name=scope.replace(":", "-")) for scope in scopes}
    keys["officer"] = readers.create("all", name="officer", permits=("reviews", "seals"))
    keys["own officer"] = readers.create("agency:own-commune", name="own-officer", permits=permits)
    steered = tmp_path / "clock"
    clock.steer(steered, RECEIVED)
    launch("rules", DONDOC_CLOCK=f"steered:{steered}")
    service = launch("reporting", DONDOC_MONGO_URL=database.url, DONDOC_REPORTING_MONGO_DATABASE=database.name)
    await publish_facts(bus)
    for topic in (FACTS.name, VERDICTS.name, DELIVERIES.name):
        await bus.wait_until_consumed("dondoc-reporting", topic)
    found = ScopesSite(service=service, keys=keys)
    with found.client("officer") as officer:
        for agency in GROUPS:
            body = {"agency": alias_of(agency), "grade": "A", "sentence": f"Lời của {agency}"}
            path = f"/v1/plans/{plans.PLAN}/periods/2024/evaluations"
            assert officer.post(path, json=body).status_code == 201
        sealed = officer.post(f"/v1/plans/{plans.PLAN}/periods/2024/reports", json={"signer": "Người ký"})
        assert sealed.status_code == 201, sealed.text
        found.check_code = sealed.json()["check_code"]
    await bus.wait_until_consumed("dondoc-reporting", REPORTS.name)
    return found


async def publish_documents(bus: Bus) -> None:
    """Publish a plan with an indicator that ranks, and a registry of two groups."""
    version = plans.a_version(requires={"indicators": ["lent"], "sections": ["results"]})
    obligation = plans.an_obligation(version, addressees=["towns", "coast"])
    grading = (GradeRule.model_validate({"grade": "A", "title": {"vi": "Tốt"}, "when": "true"}),)
    indicators = [{"code": "lent", "unit": "million_vnd", "kind": "flow", "target": {"2024": 1}}]
    plan = plans.a_plan(obligation, indicators=indicators).model_copy(update={"grading": grading})
    agencies = [
        plans.an_agency(
            one, names=[{"vi": f"Xã {one}"}], aliases=[alias_of(one)], groups=[{"id": group, "from": plans.SINCE}]
        )
        for one, group in GROUPS.items()
    ]
    groups = [{"id": one, "name": {"vi": f"Nhóm {one}"}} for one in ("towns", "coast")]
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        await publish_document(producer, REGISTRY, plans.a_registry(*agencies, groups=groups))
        await publish_document(producer, PLAN, plan)


async def publish_facts(bus: Bus) -> None:
    """Publish a report of every agency, the return of it, and an alert about it."""
    for agency, traces in TRACES.items():
        content = {
            "nil_return": False,
            "figures_as_of": None,
            "sections": {"results": f"Lời của {agency}"},
            "indicators": {"lent": traces.figure},
        }
        report = plans.a_submission(f"e-{agency}", subject=agency, data={"agency": agency, "content": content})
        answer = plans.a_return(f"r-{agency}", f"e-{agency}", subject=agency)
        answer["data"] |= {"agency": agency, "reason": f"Lời của {agency}"}
        for number, fact in enumerate((report, answer)):
            at = RECEIVED + timedelta(minutes=number)
            stamps = {
                "receivedtime": at.isoformat(),
                "receiptid": traces.receiptid if not number else f"{traces.receiptid[:-1]}0",
            }
            await bus.publish(FACTS.name, fact | stamps, key=agency, recorded_at=at)
        key = DutyKey(plan=plans.PLAN, agency=agency, obligation=plans.OBLIGATION, period="2024")
        event = a_delivery_event(an_attempt(key, at=RECEIVED - timedelta(days=3)))
        await bus.publish(DELIVERIES.name, event, key=agency)
    await bus.wait_until_consumed("dondoc-rules", FACTS.name)


def list_routes() -> list[GuardedRoute]:
    """Return the routes of the application."""
    app = reporting.build_app(ReportingSettings(), halt=Halt())
    return [route for route in app.routes if isinstance(route, GuardedRoute)]


def fill_paths(template: str, site: ScopesSite) -> Iterator[str]:
    """Yield the path with each choice of values: of the own agency, of others, and of what is common to all."""
    values: dict[str, list[str]] = {
        "plan": [plans.PLAN],
        "period": ["2024"],
        "obligation": [plans.OBLIGATION],
        "agency": [OWN, COLLEAGUE, "coast-1", alias_of(OWN), alias_of("coast-1")],
        "receiptid": [TRACES[one].receiptid for one in (OWN, COLLEAGUE, "coast-1")],
        "event": [f"e-{one}" for one in (OWN, COLLEAGUE, "coast-1")],
        "source": [plans.SOURCE],
        "sha256": ["0" * 64],
        "extension": list(FORMATS),
        "version": ["1"],
        "check_code": [site.check_code],
        "registry": [plans.REGISTRY],
        "name": ["x"],
        "document": ["don-vi"],
    }
    names = [name.partition(":")[0] for name in re.findall(r"{([^}]+)}", template)]
    unknown = set(names) - values.keys()
    assert not unknown, f"{template}: say in this test what {unknown} may be"
    for chosen in itertools.product(*(values[name] for name in names)):
        path = template
        for name, value in zip(names, chosen, strict=True):
            path = re.sub(rf"{{{name}(:[^}}]*)?}}", quote(value, safe=""), path)
        yield path


def list_questions(route: GuardedRoute, site: ScopesSite) -> Iterator[Question]:
    """Yield what is asked of a route: as a program and as a browser, plainly and with names of others in the query."""
    template = str(getattr(route.route, "path", ""))
    methods: Iterable[str] = getattr(route.route, "methods", None) or {"GET"}
    queries = ("", "?agency=coast-1", f"?agency={alias_of('coast-1')}", "?group=coast", "?q=coast", "?lang=en")
    for path in fill_paths(template, site):
        for method in sorted(set(methods) - {"HEAD", "OPTIONS"}):
            if method != "GET":
                yield Question(method=method, path=path)
                continue
            is_varied = route.access in {Access.COVERED, Access.COUNTS} and "coast-1" not in path
            accepted = "application/json" if path.startswith("/v1/") else "text/html"
            for query in queries if is_varied else queries[:1]:
                yield Question(method=method, path=path + query, headers={"accept": accepted})
            if path.startswith("/v1/"):
                yield Question(method=method, path=path, headers={"accept": "text/csv"})


def ask(client: httpx.Client, question: Question) -> tuple[httpx.Response, str]:
    """Return the answer and its text; of a stream that does not end what came at once."""
    body = b""
    with client.stream(question.method, question.path, headers=dict(question.headers)) as answer:
        is_endless = answer.headers.get("content-type", "").startswith("text/event-stream")
        with suppress(httpx.ReadTimeout):
            for chunk in answer.iter_bytes():
                body += chunk
                if is_endless or len(body) > LARGEST_ANSWER:
                    break
    with suppress(gzip.BadGzipFile):
        body = gzip.decompress(body)
    text = body.decode("utf-8", "replace").replace("\u00a0", "").replace("\u202f", "")
    return answer, text + str(dict(answer.headers))


def find_leaks(site: ScopesSite, scope: str, routes: Iterable[GuardedRoute], *, covered: frozenset[str]) -> list[str]:
    """Ask every one of *routes* as a reader of *scope*; return what was told of agencies that it does not cover."""
    leaks = []
    with site.client(scope) as client:
        for route in routes:
            if scope == "sealed" and route.access is Access.SEALED:
                continue  # what was sealed names everybody, and is what this scope is for
            for question in list_questions(route, site):
                answer, text = ask(client, question)
                site.answered += answer.status_code == 200
                assert answer.status_code < 500, f"{scope}: {question}: {answer.status_code} {text}"
                assert all(name in answer.headers for name in HEADERS), question
                asked = unquote_plus(question.path)
                for agency in GROUPS.keys() - covered:
                    # What the question itself names, an answer may repeat.
                    told = {mark for mark in TRACES[agency].find_in(text) if mark not in asked}
                    leaks += (
                        [f"{scope}: {question.method} {question.path} {answer.status_code}: {sorted(told)}"]
                        if told
                        else []
                    )
    return leaks


async def test_no_route_tells_a_reader_of_agencies_outside_the_scope(site: ScopesSite) -> None:
    """Whatever is asked, with whatever query, as a program or as a browser."""
    routes = list_routes()
    for scope, covered in COVERED.items():
        site.answered = 0
        assert find_leaks(site, scope, routes, covered=covered) == []
        assert site.answered >= (5 if scope in {"nobody", "sealed"} else 20), f"{scope}: hardly anything was answered"
    reviewing = [route for route in routes if route.access is Access.REVIEWS]
    assert find_leaks(site, "own officer", reviewing, covered=frozenset({OWN})) == []
    assert_whoever_sees_everything_finds_every_trace(site)
    assert_an_agency_sees_its_own_and_its_rank(site)
    await assert_documents_are_made_a_few_at_a_time(site)


def assert_whoever_sees_everything_finds_every_trace(site: ScopesSite) -> None:
    """Or else the search above would search for nothing."""
    with site.client("all") as client:
        text = "".join(
            client.get(path).text
            for path in (
                f"/v1/plans/{plans.PLAN}/periods/2024/results",
                f"/v1/plans/{plans.PLAN}/periods/2024/report.json",
                "/v1/submissions/" + TRACES["coast-1"].receiptid,
            )
        )
    assert TRACES["coast-1"].find_in(text) >= TRACES["coast-1"].marks - NOT_IN_JSON


def assert_an_agency_sees_its_own_and_its_rank(site: ScopesSite) -> None:
    """Its duties, its report, what it was told, the totals, and its place among six."""
    with site.client("agency:own-commune") as own:
        (obligation,) = own.get(f"/v1/plans/{plans.PLAN}/periods/2024/results").json()["obligations"]
        assert obligation["rank"] == {"code": "lent", "group": "towns", "place": 6, "agencies": 6}
        page = own.get("/results?lang=vi&period=2024", headers={"accept": "text/html"}).text
        assert "Quý cơ quan đứng thứ 6 trong 6 đơn vị có số liệu của nhóm “Nhóm towns” về chỉ tiêu “lent”" in page
        (indicator,) = obligation["indicators"]
        assert (indicator["agencies"], [one["agency"] for one in indicator["figures"]]) == (12, [OWN])
        assert own.get("/v1/submissions/" + TRACES[OWN].receiptid).json()["event"]["id"] == f"e-{OWN}"
        assert {one["agency"] for one in own.get("/v1/duties").json()["duties"]} == {OWN}
        evaluations = own.get(f"/v1/plans/{plans.PLAN}/periods/2024/evaluations").json()
        assert [one["sentence"] for one in evaluations["recorded"]] == [f"Lời của {OWN}"]
        for name in ("coast-1", COLLEAGUE):
            assert own.get(f"/v1/agencies/{name}").status_code == 403


async def assert_documents_are_made_a_few_at_a_time(site: ScopesSite) -> None:
    """More at once are sent away with 429 and the time to wait; the same document has the same tag and is made once."""
    path = f"/v1/plans/{plans.PLAN}/periods/2024/report.csv?as_of=2024-12-20T00:00:00Z"
    made = 'reporting_documents_made_total{format="csv"}'
    before = site.service.read_metric(made)
    headers = {"authorization": f"Bearer {site.keys['all']}"}
    async with httpx.AsyncClient(base_url=site.service.url, headers=headers, timeout=60) as client:
        found = await asyncio.gather(*(client.get(path) for _ in range(40)))
        refused = [one for one in found if one.status_code == 429]
        answered = [one for one in found if one.status_code == 200]
        assert len(refused) + len(answered) == 40
        assert refused
        assert int(refused[0].headers["retry-after"]) > 0
        assert len({(one.content, one.headers["etag"]) for one in answered}) == 1
        again = await client.get(path, headers={"if-none-match": answered[0].headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert site.service.read_metric(made) - before <= 2
