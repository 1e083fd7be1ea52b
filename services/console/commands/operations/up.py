"""`dondoc up`: the whole system on this machine in real time, until Ctrl-C or TERM."""

import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from deploy.home import home
from deploy.local.errors import StackError
from deploy.local.stack import Stack, jars, print_progress
from services.console.demo import contacts
from services.console.support import inputs, local_system, output, seeding
from services.console.support.local_system import LocalSystem
from services.intake.core.scopes import PROOFS, WILDCARD, KeyScope, SourceScope
from services.reporting.core.access.readers import EVERYTHING, Reader
from services.runtime.clock import SYSTEM, SystemClock

DIRECTORY = Path("deploy/plans/6766-kh-ubnd")
FOLDER = "stack"  # the folder of `python -m deploy.local`, so that `make down` ends processes that were left behind
KEY = "local"
LINK_LIFETIME = timedelta(days=30)  # of the link that is printed; `dondoc readers link` makes another
POLL_SECONDS = 0.5

# The key of this machine may claim everything, so that whatever is tried here can be tried with it.
_EVERYTHING = KeyScope(
    agencies=frozenset({WILDCARD}),
    groups=frozenset(),
    types=frozenset({WILDCARD}),
    sources=SourceScope(names=frozenset({WILDCARD})),
    proofs=PROOFS,
    may_decide=True,
    may_review=True,
)
_READER = Reader(id=KEY, name="make up", scope=EVERYTHING, may_review=True, may_seal=True)
RESTART_PAUSE_SECONDS = 2.0  # a process that fails at once would else be started again in a tight loop


def up(
    directories: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR…]", help=f"Folders with plan.yaml and registry.yaml. Default: {DIRECTORY}."),
    ] = None,
) -> None:
    """Start broker, database, mail server, SMS centre and the four services, and keep them up until Ctrl-C."""
    with output.exit_on_errors(), local_system.interrupt_on_signals():
        try:
            stack_ports, service_ports = local_system.read_ports()
            stack = Stack(home() / FOLDER, stack_ports, jars=jars(), say=print_progress)
            with LocalSystem(stack, service_ports, clock=SYSTEM, say=print_progress) as system:
                _start(system, directories or [DIRECTORY])
                _restart_exited(system)
        except StackError as cause:
            raise inputs.UnusableInputError(str(cause)) from cause
        except KeyboardInterrupt:
            print_progress("stopped")


def _start(system: LocalSystem, directories: Sequence[Path]) -> None:
    catalogues = inputs.read_plan_folders(directories)
    system.start_stack()
    for line in seeding.publish_documents(directories, system.stack.kafka.bootstrap):
        print_progress(line)
    seeding.load_contacts(
        contacts.build_contacts(dict.fromkeys(agency for one in catalogues for agency in one.agencies)),
        system.stack.mongod.url,
    )
    now = SystemClock().now()
    seeding.load_or_create_key(KEY, system.keys_file, _EVERYTHING, now=now)
    system.create_reporting_key(now)
    seeding.load_or_create_reader(_READER, system.readers_file, now=now)
    system.start_services()
    link = seeding.create_dashboard_link(
        _READER, system.readers_file, system.reporting.url, since=now, until=now + LINK_LIFETIME
    )
    for name, address in _addresses(system, link).items():
        sys.stdout.write(f"{name:<12} {address}\n")
    sys.stdout.flush()
    print_progress("everything is up; Ctrl-C stops it")


def _addresses(system: LocalSystem, link: str) -> dict[str, str]:
    return {
        "dashboard": link,
        "post events": f"{system.intake.url}/v1/events",
        "API": f"{system.intake.url}/docs",
        "key": str(system.keys_file.with_name(f"{KEY}.key")),
        "reader key": str(system.readers_file.with_name(f"{KEY}-reader.key")),
        "mails, SMS": system.stack.smtp.page,
        "logs": str(system.stack.folder),
    }


def _restart_exited(system: LocalSystem) -> None:
    """Restart each process that exits by itself, until a signal raises `KeyboardInterrupt`."""
    while True:
        for daemon in system.find_exited():
            print_progress(f"{daemon.program.name} has ended and is started again; {daemon.program.log} tells why")
            time.sleep(RESTART_PAUSE_SECONDS)
            daemon.start()
        time.sleep(POLL_SECONDS)
