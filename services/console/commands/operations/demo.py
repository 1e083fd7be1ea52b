"""`dondoc demo`: runs one year of a plan on the real system at high speed, ending with the annual report.

Each run has its own data folder and its own ports, so it can be repeated and disturbs nothing.
"""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer

from deploy.home import home
from deploy.local.errors import StackError
from deploy.local.process import pidfile
from deploy.local.process.ports import Ports
from deploy.local.stack import Stack, jars, owner_file, print_progress
from services.console.demo import run, scenario_choice, upstream_keys
from services.console.demo.artifacts import FORMATS, ArtifactFolder
from services.console.demo.client import ONE_DAY, PostRefusedError
from services.console.demo.quiescence import NotQuiescentError
from services.console.demo.run import DemoRun
from services.console.demo.scenario import Scenario
from services.console.support import inputs, local_system, output, seeding
from services.console.support.local_system import LocalSystem, ServicePorts
from services.reporting.core.access.readers import EVERYTHING, Reader
from services.runtime.clock import STEERED, steer

DIRECTORY = Path("deploy/plans/6766-kh-ubnd")
OUT = Path("out")

_READER = Reader(id="demo", name="make demo", scope=EVERYTHING)


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the report, the mails and the pictures go.")] = OUT,
    directory: Annotated[Path, typer.Option("--plan", metavar="DIR", help="Folder of the plan.")] = DIRECTORY,
) -> None:
    """Play a year of a plan to the real services, and compare dashboard and report with what is expected."""
    began = time.monotonic()
    with output.exit_on_errors(), local_system.interrupt_on_signals():
        try:
            differences = _run_demo(ArtifactFolder(out), directory)
        except (StackError, NotQuiescentError, PostRefusedError, httpx.HTTPError) as cause:
            output.print_message(f"the demo failed: {type(cause).__name__}: {cause}")
            raise typer.Exit(output.EXIT_NEGATIVE) from cause
        except KeyboardInterrupt as cause:
            output.print_message("the demo was interrupted; nothing of it runs any more")
            raise typer.Exit(output.EXIT_NEGATIVE) from cause
        output.print_message(f"{time.monotonic() - began:.0f} s in all")
        if differences:
            raise typer.Exit(output.EXIT_NEGATIVE)


def _run_demo(artifacts: ArtifactFolder, directory: Path) -> Sequence[str]:
    """Start the system, run the scenario, stop the system; return the differences from the expected outcome."""
    catalogue = inputs.read_plan_folder(directory)
    scenario = scenario_choice.choose_scenario(catalogue.plan, catalogue.registry)
    folder = _create_run_folder()
    clock = folder / "clock"
    steer(clock, scenario.begins_at)
    stack = Stack(folder, Ports.free(), jars=jars(), say=print_progress)
    with LocalSystem(stack, ServicePorts.free(), clock=f"{STEERED}{clock}", say=print_progress) as system:
        try:
            keys = _start_system(system, directory, scenario)
            demo_run = DemoRun(scenario=scenario, registry=catalogue.registry, keys=keys, clock=clock)
            differences = _run_story(system, demo_run, artifacts)
        finally:
            artifacts.copy_logs(folder)
    # Only where the run came to its end: the data of one that failed are needed to find out why.
    shutil.rmtree(folder)
    return differences


def _create_run_folder() -> Path:
    """Create this run's folder, and delete the folders of runs whose process has ended."""
    runs = home() / "demo"
    # A run that was killed leaves its folder; that of a run in another terminal must stay.
    for old in runs.glob("*"):
        if pidfile.read(owner_file(old)) is None:
            shutil.rmtree(old, ignore_errors=True)
    folder = runs / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _start_system(system: LocalSystem, directory: Path, scenario: Scenario) -> Mapping[str, str]:
    system.start_stack()
    for line in seeding.publish_documents([directory], system.stack.kafka.bootstrap):
        print_progress(line)
    seeding.load_contacts(scenario.contacts, system.stack.mongod.url)
    keys = upstream_keys.create_keys(scenario.upstream_systems, system.keys_file, scenario.begins_at)
    system.create_reporting_key(scenario.begins_at)
    seeding.load_or_create_reader(_READER, system.readers_file, now=scenario.begins_at)
    system.start_services()
    print_progress(f"dashboard {_create_link(system, scenario)}, until the demo ends")
    return keys


def _create_link(system: LocalSystem, scenario: Scenario) -> str:
    """Return a link that opens the dashboard during the whole year that the services' clock passes through."""
    return seeding.create_dashboard_link(
        _READER, system.readers_file, system.reporting.url, since=scenario.begins_at, until=scenario.ends_at + ONE_DAY
    )


def _run_story(system: LocalSystem, demo_run: DemoRun, artifacts: ArtifactFolder) -> Sequence[str]:
    """Run the scenario, collect the artifacts and print where they are; return the differences."""
    scenario = demo_run.scenario
    print_progress(scenario.headline)
    result = asyncio.run(run.run_scenario(system, demo_run))
    artifacts.write_lines("facts.jsonl", result.facts)
    artifacts.write_lines("receipts.jsonl", result.answers)
    artifacts.write("keys.json", run.fetch_key_set(system.intake.url))
    mail_count = artifacts.copy_mails(system.stack.smtp.mailbox.folder)
    messages = system.stack.smsc.messages()
    artifacts.write_lines("sms.jsonl", messages)
    reader_key = seeding.load_or_create_reader(_READER, system.readers_file, now=scenario.begins_at)
    with run.open_reporting(system.reporting.url, reader_key) as reporting:
        for extension in FORMATS:
            artifacts.write(f"report-{scenario.year}.{extension}", run.fetch_report(reporting, scenario, extension))
        compared = scenario.compare(reporting, json.loads(run.fetch_report(reporting, scenario, "json")))
    for period, results in compared.results.items():
        artifacts.write(f"results-{period}.json", json.dumps(results, ensure_ascii=False, indent=1).encode())
    screenshots = artifacts.take_screenshots(
        scenario.pages, url=system.reporting.url, link=_create_link(system, scenario)
    )
    _print_locations(
        artifacts.folder, scenario.year, mail_count=mail_count, sms_count=len(messages), screenshots=screenshots
    )
    for line in (*compared.differences, *compared.compared):
        print_progress(line)
    return compared.differences


def _print_locations(out: Path, year: str, *, mail_count: int, sms_count: int, screenshots: list[Path]) -> None:
    print_progress("")
    print_progress(f"report     {out}/report-{year}.docx  .pdf  .xlsx  .csv  .json")
    print_progress(f"results    {out}/results-{year}.json")
    print_progress(f"mails      {out}/mails/ ({mail_count})")
    print_progress(f"SMS        {out}/sms.jsonl ({sms_count})")
    print_progress(f"facts      {out}/facts.jsonl, for dondoc evaluate --facts")
    print_progress(f"receipts   {out}/receipts.jsonl, for dondoc receipt verify --keys {out}/keys.json")
    print_progress(f"dashboard  {', '.join(map(str, screenshots)) or 'no picture: there is no chromium here'}")
    print_progress(f"logs       {out}/logs/")
