"""`dondoc demo`: one year of plan 6766, played to the real system at high speed, ending with the annual report.

Each run has a data folder and ports of its own, so that it can be repeated and disturbs nothing.
"""

import asyncio
import json
import os
import shutil
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer

from deploy.local.errors import StackError
from deploy.local.process import pidfile
from deploy.local.process.ports import Ports
from deploy.local.stack import Stack, home, jars, owner_file, print_progress
from schemas.plan.registry import Registry
from services.console.demo import contacts, run, story
from services.console.demo.artifacts import FORMATS, Takings
from services.console.demo.client import Keys, NotTakenError
from services.console.demo.events import YEAR
from services.console.demo.quiescence import NeverSettledError
from services.console.demo.run import Performance
from services.console.demo.story import BEGINS_AT
from services.console.support import inputs, local_system, output, seeding
from services.console.support.local_system import ServicePorts, System
from services.runtime.clock import STEERED, steer

DIRECTORY = Path("deploy/plans/6766-kh-ubnd")
OUT = Path("out")


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the report, the mails and the pictures go.")] = OUT,
    directory: Annotated[Path, typer.Option("--plan", metavar="DIR", help="Folder of plan 6766.")] = DIRECTORY,
) -> None:
    """Play the year 2024 of plan 6766 to the real services, and compare what they say with what was planted."""
    began = time.monotonic()
    with output.exits(), local_system.ending_on_signals():
        try:
            differences = _run(Takings(out), directory)
        except (StackError, NeverSettledError, NotTakenError, httpx.HTTPError) as cause:
            output.say(f"the demo failed: {type(cause).__name__}: {cause}")
            raise typer.Exit(output.NEGATIVE) from cause
        except KeyboardInterrupt as cause:
            output.say("the demo was interrupted; nothing of it runs any more")
            raise typer.Exit(output.NEGATIVE) from cause
        output.say(f"{time.monotonic() - began:.0f} s in all")
        if differences:
            raise typer.Exit(output.NEGATIVE)


def _run(takings: Takings, directory: Path) -> list[str]:
    registry = inputs.read_book(directory).registry
    folder = _fresh_folder()
    clock = folder / "clock"
    steer(clock, BEGINS_AT)
    stack = Stack(folder, Ports.free(), jars=jars(), say=print_progress)
    with System(stack, ServicePorts.free(), clock=f"{STEERED}{clock}", say=print_progress) as running:
        try:
            keys = _arranged(running, directory, registry)
            told = Performance(story=story.told(registry), registry=registry, keys=keys, clock=clock)
            differences = _performed(running, told, takings)
        finally:
            takings.keep_logs(folder)
    shutil.rmtree(folder)
    return differences


def _fresh_folder() -> Path:
    """Make this run's folder, and clear away those of runs that have ended, well or not."""
    runs = home() / "demo"
    for old in runs.glob("*"):
        if pidfile.read(owner_file(old)) is None:
            shutil.rmtree(old, ignore_errors=True)
    folder = runs / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _arranged(running: System, directory: Path, registry: Registry) -> Keys:
    running.start_stack()
    for line in seeding.publish_documents(directory, running.stack.kafka.bootstrap):
        print_progress(line)
    seeding.load_contacts(contacts.contacts(story.addressed(registry)), running.stack.mongod.url)
    keys = Keys(
        reports=seeding.bearer_for("demo-reports", running.keys_file, now=BEGINS_AT),
        decisions=seeding.bearer_for("demo-decisions", running.keys_file, now=BEGINS_AT, may_decide=True),
    )
    running.start_services()
    return keys


def _performed(running: System, told: Performance, takings: Takings) -> list[str]:
    """Play, gather what came of it, and say where everything lies."""
    print_progress(f"the year {YEAR} begins: {len(told.story.truths)} agencies owe results before 10 December")
    played = asyncio.run(run.play(running, told))
    takings.keep_lines("facts.jsonl", played.facts)
    takings.keep_lines("receipts.jsonl", played.answers)
    takings.keep("keys.json", run.key_set(running.intake.url))
    mails = takings.keep_mails(running.stack.smtp.mailbox.folder)
    messages = running.stack.smsc.messages()
    takings.keep_lines("sms.jsonl", messages)
    url = running.reporting.url
    for extension in FORMATS:
        takings.keep(f"report-{YEAR}.{extension}", run.report(url, extension))
    pictures = takings.keep_pictures(url)
    _say_where(takings.folder, mails=mails, messages=len(messages), pictures=pictures)
    return _judged(run.differences(url, told.story, json.loads(run.report(url, "json"))), told)


def _say_where(out: Path, *, mails: int, messages: int, pictures: list[Path]) -> None:
    print_progress("")
    print_progress(f"report     {out}/report-{YEAR}.docx  .pdf  .xlsx  .csv  .json")
    print_progress(f"mails      {out}/mails/ ({mails})")
    print_progress(f"SMS        {out}/sms.jsonl ({messages})")
    print_progress(f"facts      {out}/facts.jsonl, for dondoc evaluate --facts")
    print_progress(f"receipts   {out}/receipts.jsonl, for dondoc receipt verify --keys {out}/keys.json")
    print_progress(f"dashboard  {', '.join(map(str, pictures)) or 'no picture: there is no chromium here'}")
    print_progress(f"logs       {out}/logs/")


def _judged(differences: list[str], told: Performance) -> list[str]:
    for difference in differences:
        print_progress(difference)
    verdict = f"{len(differences)} differences" if differences else "dashboard and report say what the story planted"
    print_progress(f"{len(told.story.truths)} agencies compared: {verdict}")
    return differences
