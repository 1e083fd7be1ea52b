"""`dondoc contacts`: loads the notifier's contacts from CSV, and names every agency that nobody could reach."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.support import inputs, output, topic_reader
from services.console.support.inputs import Unusable
from services.notifier import contacts as files
from services.notifier.contact_store import ContactStore
from services.notifier.core.scheduling.routing import Contact, ContactBook
from services.notifier.errors import LedgerUnavailableError
from services.notifier.settings import NotifierSettings
from services.runtime import mongo
from services.runtime.clock import clock_from
from services.runtime.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig

app = typer.Typer(help="Who is told: contacts of agencies and lists, and who is out of reach.", no_args_is_help=True)

PlanFolder = Annotated[
    Path | None,
    typer.Option(
        "--plan", metavar="DIR", help="Folder with plan.yaml and registry.yaml; without it, what is published."
    ),
]
Documents = Sequence[tuple[Plan, Registry]]
Found = TypeVar("Found")


@app.command("import")
def load(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="agency,channel,address,role,language,from,to")],
    plan: PlanFolder = None,
) -> None:
    """Put the contacts of FILE in place of all contacts of the agencies and lists it names."""
    with output.exits():
        contacts = read_file(file)
        documents = _documents(plan)
        resolved = list(files.resolved(contacts, [registry for _, registry in documents]))
        _stored(lambda store: store.replace(resolved))
        output.say(
            f"{len(resolved)} contact(s) of {len({one.agency for one in resolved})} agencies and lists are loaded"
        )
        _tell_unreached(_stored(ContactStore.book), documents)


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Contacts to check; without it, those that are loaded.")
    ] = None,
    plan: PlanFolder = None,
) -> None:
    """Name every agency that nobody could reach today, one a line; exit 1 if there is any."""
    with output.exits():
        contacts = read_file(file) if file else None
        documents = _documents(plan)
        if not documents:
            raise Unusable(
                "no plan is published; publish one with `dondoc publish DIR`, or name its folder with --plan DIR"
            )
        if contacts is None:
            book = _stored(ContactStore.book)
        else:
            book = ContactBook(files.resolved(contacts, [registry for _, registry in documents]))
        if _tell_unreached(book, documents):
            raise typer.Exit(output.NEGATIVE)


def _tell_unreached(book: ContactBook, documents: Documents) -> bool:
    """Print who is out of reach today; say whether anybody is."""
    now = clock_from(NotifierSettings().clock).now()
    found = False
    for plan, registry in documents:
        day = now.astimezone(ZoneInfo(plan.zone)).date()
        for agency in files.unreached(book, plan, registry, day):
            known = registry.agency(agency)
            output.line({"agency": agency, "name": known.name_on(day) if known else None, "plan": plan.plan})
            found = True
    return found


def read_file(path: Path) -> list[Contact]:
    """Return the contacts in *path*; raise `Unusable` with every fault in it."""
    try:
        found, faults = files.read_contacts(path)
    except (OSError, UnicodeDecodeError) as cause:
        raise Unusable(f"{path}: {cause}") from cause
    if faults:
        raise Unusable("\n".join(f"{path}:{fault.line}: {fault.message}" for fault in faults))
    return found


def _documents(folder: Path | None) -> Documents:
    if folder is not None:
        book = inputs.read_book(folder)
        return [(book.plan, book.registry)]
    settings = NotifierSettings()
    remedy = "set DONDOC_KAFKA_BOOTSTRAP, or name the plan with --plan DIR"
    return asyncio.run(topic_reader.from_broker(_published(settings.kafka), settings.kafka, remedy=remedy))


async def _published(kafka: KafkaConfig) -> Documents:
    references = PublishedDocuments(kafka)
    try:
        await references.start()
        plans = references.plans()
        return [(plan, registry) for plan in plans if (registry := references.registry(plan.registry)) is not None]
    finally:
        await references.stop()


def _stored(ask: Callable[[ContactStore], Awaitable[Found]]) -> Found:
    """Ask the notifier's own database."""
    settings = NotifierSettings()
    try:
        return asyncio.run(_asked(settings, ask))
    except LedgerUnavailableError as cause:
        raise Unusable("the notifier's database does not answer; look at DONDOC_MONGO_URL") from cause


async def _asked(settings: NotifierSettings, ask: Callable[[ContactStore], Awaitable[Found]]) -> Found:
    client = mongo.connect(settings.mongo_url)
    try:
        return await ask(ContactStore(client, settings.mongo_database))
    finally:
        client.close()
