"""`dondoc up`: the whole system on this machine in real time, until Ctrl-C or TERM."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.errors import StackError
from deploy.local.stack import Stack, home, jars, print_progress
from services.console.demo import contacts
from services.console.support import inputs, local_system, output, seeding
from services.console.support.local_system import System
from services.runtime.clock import SYSTEM, SystemClock

DIRECTORY = Path("deploy/plans/6766-kh-ubnd")
FOLDER = "stack"  # the folder of `python -m deploy.local`, so that `make down` ends what this has lost
KEY = "local"
LOOK_SECONDS = 0.5
REST_SECONDS = 2.0  # before a process that ended is started again, so that a fault does not become a storm


def up(
    directory: Annotated[
        Path, typer.Option("--plan", metavar="DIR", help="Folder with the plan.yaml and registry.yaml to publish.")
    ] = DIRECTORY,
) -> None:
    """Start broker, database, mail server, SMS centre and the four services, and keep them up until Ctrl-C."""
    with output.exits(), local_system.ending_on_signals():
        try:
            stack_ports, service_ports = local_system.ports_of_environment()
            stack = Stack(home() / FOLDER, stack_ports, jars=jars(), say=print_progress)
            with System(stack, service_ports, clock=SYSTEM, say=print_progress) as running:
                _start(running, directory)
                _keep_up(running)
        except StackError as cause:
            raise inputs.Unusable(str(cause)) from cause
        except KeyboardInterrupt:
            print_progress("stopped")


def _start(running: System, directory: Path) -> None:
    book = inputs.read_book(directory)
    running.start_stack()
    for line in seeding.publish_documents(directory, running.stack.kafka.bootstrap):
        print_progress(line)
    seeding.load_contacts(contacts.contacts(book.agencies), running.stack.mongod.url)
    seeding.bearer_for(KEY, running.keys_file, now=SystemClock().now(), may_decide=True)
    running.start_services()
    for name, place in _places(running).items():
        sys.stdout.write(f"{name:<12} {place}\n")
    sys.stdout.flush()
    print_progress("everything is up; Ctrl-C stops it")


def _places(running: System) -> dict[str, str]:
    return {
        "dashboard": f"{running.reporting.url}/",
        "post events": f"{running.intake.url}/v1/events",
        "API": f"{running.intake.url}/docs",
        "key": str(running.keys_file.with_name(f"{KEY}.key")),
        "mails, SMS": running.stack.smtp.page,
        "logs": str(running.stack.folder),
    }


def _keep_up(running: System) -> None:
    """Start again whatever ends by itself, until a signal."""
    while True:
        for daemon in running.ended():
            print_progress(f"{daemon.program.name} has ended and is started again; {daemon.program.log} tells why")
            time.sleep(REST_SECONDS)
            daemon.start()
        time.sleep(LOOK_SECONDS)
