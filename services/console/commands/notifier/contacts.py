"""`dondoc contacts`: imports the notifier's contacts from CSV, and names every agency that has no valid contact."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.support import inputs, output, topic_reader
from services.console.support.inputs import UnusableInputError
from services.notifier.contacts import csv_file
from services.notifier.contacts.store import ContactStore
from services.notifier.core.scheduling.routing import Contact, ContactBook
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.settings import NotifierSettings
from services.runtime import mongo
from services.runtime.clock import clock_from
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig

app = typer.Typer(help="Who is told: contacts of agencies and lists, and who is out of reach.", no_args_is_help=True)

PlanFolder = Annotated[
    Path | None,
    typer.Option(
        "--plan", metavar="DIR", help="Folder with plan.yaml and registry.yaml; without it, what is published."
    ),
]
Documents = Sequence[tuple[Plan, Registry]]
Result = TypeVar("Result")


@app.command("import")
def import_contacts(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="agency,channel,address,role,language,from,to")],
    plan: PlanFolder = None,
) -> None:
    """Put the contacts of FILE in place of all contacts of the agencies and lists it names."""
    with output.exit_on_errors():
        contacts = read_contacts_file(file)
        documents = _read_documents(plan)
        resolved = list(csv_file.resolve_agencies(contacts, [registry for _, registry in documents]))
        _query_store(lambda store: store.replace(resolved))
        output.print_message(
            f"{len(resolved)} contact(s) of {len({one.agency for one in resolved})} agencies and lists are loaded"
        )
        _print_unreachable(_query_store(ContactStore.load_book), documents)


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Contacts to check; without it, those that are loaded.")
    ] = None,
    plan: PlanFolder = None,
) -> None:
    """Name every agency that nobody could reach today, one a line; exit 1 if there is any."""
    with output.exit_on_errors():
        contacts = read_contacts_file(file) if file else None
        documents = _read_documents(plan)
        if not documents:
            raise UnusableInputError(
                "no plan is published; publish one with `dondoc publish DIR`, or name its folder with --plan DIR"
            )
        if contacts is None:
            book = _query_store(ContactStore.load_book)
        else:
            book = ContactBook(csv_file.resolve_agencies(contacts, [registry for _, registry in documents]))
        if _print_unreachable(book, documents):
            raise typer.Exit(output.EXIT_NEGATIVE)


def _print_unreachable(book: ContactBook, documents: Documents) -> bool:
    """Print each agency that has no valid contact today; return whether there is any."""
    now = clock_from(NotifierSettings().clock).now()
    found = False
    for plan, registry in documents:
        day = now.astimezone(ZoneInfo(plan.zone)).date()
        for agency in csv_file.find_unreached(book, plan, registry, day):
            known = registry.agency(agency)
            output.print_json({"agency": agency, "name": known.name_on(day) if known else None, "plan": plan.plan})
            found = True
    return found


def read_contacts_file(path: Path) -> list[Contact]:
    """Return the contacts in *path*; raise `UnusableInputError` with every error in it."""
    try:
        found, errors = csv_file.read_contacts(path)
    except (OSError, UnicodeDecodeError) as cause:
        raise UnusableInputError(f"{path}: {cause}") from cause
    if errors:
        raise UnusableInputError("\n".join(f"{path}:{error.line}: {error.message}" for error in errors))
    return found


def _read_documents(folder: Path | None) -> Documents:
    if folder is not None:
        catalogue = inputs.read_plan_folder(folder)
        return [(catalogue.plan, catalogue.registry)]
    settings = NotifierSettings()
    remedy = "set DONDOC_KAFKA_BOOTSTRAP, or name the plan with --plan DIR"
    return asyncio.run(
        topic_reader.translate_broker_errors(_read_published(settings.kafka), settings.kafka, remedy=remedy)
    )


async def _read_published(kafka: KafkaConfig) -> Documents:
    references = PublishedDocuments(kafka)
    try:
        await references.start()
        plans = references.plans()
        return [(plan, registry) for plan in plans if (registry := references.registry(plan.registry)) is not None]
    finally:
        await references.stop()


def _query_store(query: Callable[[ContactStore], Awaitable[Result]]) -> Result:
    """Run one query on the notifier's own database; raise `UnusableInputError` where it does not answer."""
    settings = NotifierSettings()
    try:
        return asyncio.run(_run_query(settings, query))
    except LedgerUnavailableError as cause:
        raise UnusableInputError("the notifier's database does not answer; look at DONDOC_MONGO_URL") from cause
    except LedgerRefusedError as cause:
        raise UnusableInputError(f"the notifier's database refuses this: {cause}") from cause


async def _run_query(settings: NotifierSettings, query: Callable[[ContactStore], Awaitable[Result]]) -> Result:
    client = mongo.connect(settings.mongo_url)
    try:
        return await query(ContactStore(client, settings.mongo_database))
    finally:
        client.close()
