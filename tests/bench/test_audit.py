"""The audit of one year in a log of ten: the first, which reads the whole log, and the next, which reads what is new.

Rules and reporting are real and have processed the log before. `BENCH_FACTS` sets another size of the log, for example
1000000. Time and the largest memory are those of the command `dondoc audit` as a process of its own.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from schemas.events.ids import partition_of
from schemas.events.topics import FACTS
from services.runtime.clock import milliseconds, steer
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.rules import RulesClient
from tests.support.servers.services import Launch, Service

FACT_COUNT = int(os.environ.get("BENCH_FACTS", "100000"))
YEARS = [str(year) for year in range(2017, 2027)]
ADOPTED_YEARS = ["2016", *YEARS, "2027", "2028"]  # from the plan's issue to 13 months ahead of NOW
VERSIONS = 10  # of each report: the first and its corrections
AGENCIES = [f"a-{number:05d}" for number in range(FACT_COUNT // (len(YEARS) * VERSIONS))]
NOW = datetime.fromisoformat("2026-12-22T08:00:00+07:00")
BATCH_BYTES = 512 * 1024
TIMEOUT_SECONDS = 3_000.0
MOST_MEGABYTES = 400.0  # the index, one chunk of agencies and the imported services; it must not grow with the log


@pytest.mark.timeout(7_200)
@pytest.mark.usefixtures("readers")
async def test_audit_of_a_large_log(bus: Bus, launch: Launch, database: Database, tmp_path: Path) -> None:
    """Print the time and memory of both audits; fail only where they find a difference or take memory without bound."""
    reporting = await _run_system(bus, launch, database, tmp_path)
    state = tmp_path / "audit.sqlite"
    environment = {
        **os.environ,
        "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap,
        "DONDOC_REPORTING_URL": reporting.url,
        "DONDOC_AUDIT_STATE": str(state),
    }
    print(f"\naudit of {len(AGENCIES)} agencies, one year of {len(YEARS)}, {FACT_COUNT} facts in the log")
    for name in ("reads the whole log", "reads what is new"):
        seconds, megabytes, said = _audit(environment)
        print(f"  {name:<20} {seconds:8.1f} s, at most {megabytes:.0f} MB; {said}")
        assert "0 differences" in said
        assert megabytes < MOST_MEGABYTES
    print(f"  index {state.stat().st_size / 1e6:.0f} MB on disk")


async def _run_system(bus: Bus, launch: Launch, database: Database, folder: Path) -> Service:
    """Let rules assess the whole log and reporting store it; return reporting, and stop rules."""
    steer(folder / "clock", NOW)
    rules = launch("rules", ready=False, DONDOC_CLOCK=f"steered:{folder / 'clock'}")
    registry = plans.a_registry(*map(plans.an_agency, AGENCIES))
    await RulesClient(bus).publish(registry, plans.a_plan())
    reporting = launch("reporting", DONDOC_MONGO_URL=database.url, DONDOC_REPORTING_MONGO_DATABASE=database.name)
    count_stored = database["assessments"].estimated_document_count
    adopted = len(AGENCIES) * len(ADOPTED_YEARS)
    await eventually(lambda: count_stored() == adopted, "every duty assessed and stored", timeout=TIMEOUT_SECONDS)
    await _fill_log(bus)
    everything = adopted + FACT_COUNT
    await eventually(lambda: count_stored() == everything, "every report assessed", timeout=TIMEOUT_SECONDS)
    rules.stop()
    return reporting


def _audit(environment: dict[str, str]) -> tuple[float, float, str]:
    """Run the command; return its seconds, its largest resident memory in megabytes, and what it said."""
    script = (
        "import resource, sys\nfrom services.console.main import app\n"
        "try: app()\nfinally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = (sys.executable, "-c", script, "audit", plans.PLAN, YEARS[-1], "--as-of", NOW.isoformat())
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.perf_counter() - begun, int(done.stdout.split()[-1]) / 1024, done.stderr.strip()


def _events() -> Iterator[tuple[str, bytes]]:
    for year in YEARS:
        for version in range(VERSIONS):
            for agency in AGENCIES:
                first = f"{agency}-{year}-0"
                data = {"agency": agency, "period": year, "corrects": first if version else None}
                event = plans.a_submission(f"{agency}-{year}-{version}", data=data)
                yield agency, json.dumps({**event, "receivedtime": f"{year}-12-01T08:00:{version:02d}+07:00"}).encode()


async def _fill_log(bus: Bus) -> None:
    """Append every event to the log in whole batches."""
    recorded_at = milliseconds(NOW)
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, max_batch_size=BATCH_BYTES) as producer:
        batches = {number: producer.create_batch() for number in range(bus.partitions)}
        for agency, value in _events():
            number = partition_of(agency, bus.partitions)
            if batches[number].append(key=agency.encode(), value=value, timestamp=recorded_at) is None:
                await producer.send_batch(batches[number], FACTS.name, partition=number)
                batches[number] = producer.create_batch()
                batches[number].append(key=agency.encode(), value=value, timestamp=recorded_at)
        for number, batch in batches.items():
            await producer.send_batch(batch, FACTS.name, partition=number)
        await producer.flush()
