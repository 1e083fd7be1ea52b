"""The questions about duties, asked of records in memory: which agency a name means."""

import pytest

from services.reporting.core.access.decisions import AccessRefusedError
from services.reporting.core.access.readers import EVERYTHING, ReaderScope
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from tests.support.builders import plans
from tests.support.builders.partition_log import NOON, PartitionLog
from tests.support.clients.reporting_archive import InMemoryArchive

OLD_NAME = "UBND huyện Đông Sơn"


def some_queries() -> ReportingQueries:
    """Return the queries on two assessed agencies, of which one has an alias, beside another registry."""
    registry = plans.a_registry(plans.an_agency("h-mot", aliases=[OLD_NAME, "h-chung"]), plans.an_agency("h-hai"))
    beside = plans.a_registry(plans.an_agency("x-ba", aliases=["h-chung", "h-hai"]), registry="beside")
    plan, other = plans.a_plan(), plans.a_plan(plan="OTHER", registry="beside")
    archive = InMemoryArchive()
    for verdict in PartitionLog(registry, plan).adopt_raw():
        archive.store_verdict(verdict)
    return archive.ask(registry, beside, plan, other)


@pytest.mark.parametrize(
    ("name", "plan", "expected"),
    [
        ("h-mot", None, "h-mot"),
        (OLD_NAME, None, "h-mot"),
        ("ubnd huyện đông sơn", plans.PLAN, "h-mot"),
        (OLD_NAME, "OTHER", OLD_NAME),
        ("h-chung", None, "h-chung"),
        ("h-chung", plans.PLAN, "h-mot"),
        ("h-chung", "OTHER", "x-ba"),
        ("h-hai", None, "h-hai"),
        ("nobody", None, "nobody"),
        (OLD_NAME, "NONE", OLD_NAME),
    ],
)
def test_an_alias_means_the_agency_of_the_plan_that_is_asked_about(name: str, plan: str | None, expected: str) -> None:
    """However it is written; an id comes first, and what registries have for several agencies means none of them."""
    assert some_queries().resolve_agency(name, plan) == expected


async def test_duties_are_found_by_an_alias_and_the_scope_stays() -> None:
    """As by the id: whoever may not see the agency is refused by either name."""
    queries, duties = some_queries(), DutyFilter(plan=plans.PLAN, agency=OLD_NAME)
    found = await queries.find_lines(duties, QueryContext(as_of=NOON, known_at=NOON, scope=EVERYTHING))
    assert {one.key.agency for one in found.lines} == {"h-mot"}
    own, other = (
        QueryContext(as_of=NOON, known_at=NOON, scope=ReaderScope(agencies=frozenset({agency})))
        for agency in ("h-mot", "h-hai")
    )
    assert (await queries.find_lines(duties, own)).lines
    with pytest.raises(AccessRefusedError):
        await queries.find_lines(duties, other)
