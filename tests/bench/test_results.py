"""The processor time of consolidating a thousand agencies with twenty indicators, from records to the document.

`BENCH_AGENCIES` sets another size. What the database takes to hand out the records is not in it.
"""

import json
import os
import time

from schemas.plan.indicators import Indicator
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core import results_document
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.queries import QueryContext
from services.runtime import json_lines
from tests.support.builders import plans
from tests.support.builders.partition_log import NOON, PartitionLog
from tests.support.clients.reporting_archive import InMemoryArchive

AGENCIES = int(os.environ.get("BENCH_AGENCIES", "1000"))
INDICATORS = 20
SECONDS_MAX = 1.0  # of consolidating, on the machine that runs nothing else
CONTEXT = QueryContext(as_of=NOON, known_at=NOON.replace(year=NOON.year + 1), scope=EVERYTHING)


async def test_a_thousand_agencies_are_consolidated_within_a_second() -> None:
    """Print what decoding and consolidating take; fail where consolidating takes more than a second."""
    codes = [f"i{number}" for number in range(INDICATORS)]
    agencies = [plans.an_agency(f"h-{number:04d}") for number in range(AGENCIES)]
    version = plans.a_version(requires={"indicators": codes, "sections": ["results"]})
    plan = plans.a_plan(plans.an_obligation(version), indicators=[Indicator(code=code) for code in codes])
    registry = plans.a_registry(*agencies)
    archive = _fill(PartitionLog(plan, registry), [one.id for one in agencies], codes)
    queries = ResultsQueries(archive.ask(plan, registry), archive)

    start = time.process_time()
    assessed = await queries.assess_plan(plans.PLAN, "2024", CONTEXT)
    read = time.process_time()
    results = (await queries.find_results(plans.PLAN, "2024", CONTEXT)).results
    answered = time.process_time()
    body = json_lines.encode_line(results_document.build_document(results))
    encoded = time.process_time()

    figures = sum(one.agencies for obligation in results.obligations for one in obligation.indicators)
    assert (len(assessed.contents), figures) == (2 * AGENCIES, AGENCIES * INDICATORS)
    consolidating = (answered - read) - (read - start)
    print(f"\nresults of {AGENCIES} agencies and {INDICATORS} indicators, beside the year before, {len(body):,} bytes")
    print(f"  decoding verdicts and reports {read - start:6.3f} s")
    print(f"  consolidating                 {consolidating:6.3f} s")
    print(f"  the document as JSON          {encoded - answered:6.3f} s")
    assert consolidating < SECONDS_MAX * AGENCIES / 1000


def _fill(log: PartitionLog, agencies: list[str], codes: list[str]) -> InMemoryArchive:
    archive = InMemoryArchive()
    for verdict in log.adopt_raw():
        archive.store_verdict(verdict)
    for year in ("2023", "2024"):
        for number, agency in enumerate(agencies):
            figures = {code: f"{number}.{place:02d}" for place, code in enumerate(codes)}
            content = {"nil_return": False, "figures_as_of": f"{year}-11-30", "sections": {"results": "Đã thực hiện."}}
            data = {"agency": agency, "period": year, "content": {**content, "indicators": figures}}
            received = f"{year}-12-01T04:00:00Z"
            report = plans.a_submission(f"s-{year}-{number}", data=data, subject=agency, receivedtime=received)
            for verdict in log.append_raw(report):
                archive.store_verdict(verdict)
            archive.store_fact(json.dumps(report).encode(), recorded_at=log.position.recorded_at)
    return archive
