"""`dondoc contacts`: the notifier's contacts, from a table into its database and back, and who is out of reach."""

import csv
import io
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import typer

from schemas.events.deliveries import Channel
from schemas.plan.periods import Period
from schemas.plan.registry import Registry
from schemas.plan.values import Bilingual
from services.console.commands.notifier import ledger_queries, published_plans
from services.console.commands.notifier.published_plans import Documents
from services.console.contacts import contact_cells, contact_file, unreached_recipients
from services.console.contacts.contact_file import COLUMNS, ContactFault, LocatedContact
from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.console.support.simulation import SimulationDocuments
from services.console.tables.table import RefusedTableError
from services.notifier.contacts import coverage
from services.notifier.contacts.store import ContactSelection, ContactStore
from services.notifier.core.scheduling.routing import Contact, ContactBook
from services.notifier.settings import NotifierSettings
from services.rules.core.duty_catalogue import DutyCatalogue
from services.runtime.clock import clock_from

app = typer.Typer(help="Who is told: contacts of agencies and lists, and who is out of reach.", no_args_is_help=True)

PlanFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--plan",
        metavar="DIR",
        help="Folder with plan.yaml and registry.yaml, once for each plan; without it, what is published.",
    ),
]
Result = TypeVar("Result")

_IN_CLEAR = Bilingual.of(
    en="DONDOC_NOTIFIER_CONTACTS_KEY is not set, so the addresses are stored in clear",
    vi="chưa đặt DONDOC_NOTIFIER_CONTACTS_KEY nên địa chỉ được lưu không mã hóa",
)
_NOT_CHECKED = Bilingual.of(
    en="no plan is published, so whether the agencies exist was not checked",
    vi="chưa có kế hoạch nào được công bố nên chưa kiểm tra được các đơn vị có thật hay không",
)
_NO_PLAN = Bilingual.of(
    en="no plan is published; publish one with `dondoc publish DIR`, or name its folder with --plan DIR",
    vi="chưa có kế hoạch nào được công bố; hãy công bố bằng `dondoc publish DIR`, hoặc ghi thư mục bằng --plan DIR",
)


@app.command("import")
def import_contacts(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or XLSX: agency,channel,address,role,language,from,to")
    ],
    *,
    plan: PlanFolders = None,
    lang: output.LanguageOption,
) -> None:
    """Put the contacts of FILE in place of all contacts of the agencies and lists it names."""
    with output.exit_on_errors(lang):
        located = read_contacts_file(file)
        documents = published_plans.read_documents(plan)
        contacts = resolve_contacts(located, documents) if documents else [one.contact for one in located]
        _query_store(lambda contacts_store: contacts_store.replace(contacts))
        agencies = len({one.agency for one in contacts})
        output.print_message(
            Bilingual.of(
                en=f"{len(contacts)} contact(s) of {agencies} agencies and lists are loaded",
                vi=f"đã nạp {len(contacts)} đầu mối của {agencies} đơn vị và danh sách",
            ),
            lang,
        )
        if NotifierSettings().contacts_key is None:
            output.print_message(_IN_CLEAR, lang)
        if not documents:
            output.print_message(_NOT_CHECKED, lang)
        _print_unreachable(_query_store(ContactStore.load_book), documents)


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Contacts to check; without it, those that are loaded.")
    ] = None,
    *,
    plan: PlanFolders = None,
    period: Annotated[
        str | None,
        typer.Option("--season", metavar="PERIOD", help="On every day on which an alert of this period would go out."),
    ] = None,
    lang: output.LanguageOption,
) -> None:
    """Name every agency that nobody could reach today, or in a season, one a line; exit 1 if there is any."""
    with output.exit_on_errors(lang):
        walked = None if period is None else inputs.read_period(period, "--season")
        located = read_contacts_file(file) if file else None
        documents = published_plans.read_documents(plan)
        if not documents:
            raise UnusableInputError(_NO_PLAN)
        if located is None:
            book = _query_store(ContactStore.load_book)
        else:
            book = ContactBook(resolve_contacts(located, documents))
        if _print_unreachable(book, documents) if walked is None else _print_season(book, documents, walked):
            raise typer.Exit(output.EXIT_NEGATIVE)


@app.command("list")
def list_contacts(
    agency: Annotated[str | None, typer.Option("--agency", metavar="A", help="Only this agency or list.")] = None,
    fmt: Annotated[output.OutputFormat, typer.Option("--format", help="jsonl or table.")] = output.OutputFormat.JSONL,
) -> None:
    """Print the contacts that are loaded, in the order in which they are written to."""
    with output.exit_on_errors():
        rows = (one for one in _list_rows() if agency in {None, one["agency"]})
        output.print_rows(rows, fmt, title="contacts")


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write; without it, to stdout.")
    ] = None,
) -> None:
    """Write the contacts that are loaded as CSV, which `import` reads again."""
    with output.exit_on_errors():
        text = io.StringIO(newline="")
        rows = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
        rows.writeheader()
        rows.writerows(_list_rows())
        if file is None:
            sys.stdout.write(text.getvalue())
            return
        try:
            # With a byte order mark, without which spreadsheet programs misread Vietnamese.
            file.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
        except OSError as cause:
            raise inputs.refuse_file(file, cause) from cause


@app.command()
def remove(
    agency: Annotated[
        str | None, typer.Argument(metavar="[AGENCY]", help="Id of the agency, or name of the list.")
    ] = None,
    *,
    channel: Annotated[Channel | None, typer.Option(help="Only contacts on this channel.")] = None,
    address: Annotated[str | None, typer.Option(help="Only this address or number, of whichever agency.")] = None,
    ended_before: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only contacts that had ended by this day.")
    ] = None,
) -> None:
    """Remove contacts for good: of an agency, with an address, or ended long ago; exit 1 if there were none.

    Their addresses are erased from the deliveries too, and what waits to be sent to them is cancelled.
    """
    with output.exit_on_errors():
        selection = ContactSelection(
            agency=agency,
            channel=channel,
            address=None if address is None else _normalize_address(address, channel),
            ended_before=None if ended_before is None else inputs.read_date(ended_before, "--ended-before"),
        )
        if selection in (ContactSelection(), ContactSelection(channel=channel)):
            detail = Bilingual.of(
                en="say whose contacts: an AGENCY, --address or --ended-before",
                vi="hãy nói rõ đầu mối của ai: mã đơn vị, --address hoặc --ended-before",
            )
            raise UnusableInputError(detail)
        removed = _query_store(lambda contacts_store: contacts_store.remove(selection))
        output.print_message(
            Bilingual.of(
                en=f"{removed.contacts} contact(s) removed; "
                f"the address is erased from {removed.deliveries} delivery(ies)",
                vi=f"đã xóa {removed.contacts} đầu mối; đã xóa địa chỉ khỏi {removed.deliveries} lượt gửi",
            )
        )
        if not (removed.contacts or removed.deliveries):
            raise typer.Exit(output.EXIT_NEGATIVE)


@app.command()
def reinstate(
    agency: Annotated[
        str | None, typer.Argument(metavar="[AGENCY]", help="Id of the agency, or name of the list.")
    ] = None,
    *,
    channel: Annotated[Channel | None, typer.Option(help="Only contacts on this channel.")] = None,
    address: Annotated[str | None, typer.Option(help="Only this address or number, of whichever agency.")] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="All of them: after a server had refused everybody by mistake.")
    ] = False,
) -> None:
    """Write to suspended addresses again: of an agency, or one of them; exit 1 if none was suspended.

    An address is suspended when a server says that nobody has it; `list` shows for what reason.
    """
    with output.exit_on_errors():
        selection = ContactSelection(
            agency=agency, channel=channel, address=None if address is None else _normalize_address(address, channel)
        )
        if (agency is None and address is None) != everybody:
            detail = Bilingual.of(
                en="say whose contacts: an AGENCY or --address; or --all and neither of them",
                vi="hãy nói rõ đầu mối của ai: mã đơn vị hoặc --address; hoặc chỉ ghi --all",
            )
            raise UnusableInputError(detail)
        count = _query_store(lambda contacts_store: contacts_store.reinstate(selection))
        output.print_message(
            Bilingual.of(en=f"{count} contact(s) reinstated", vi=f"đã khôi phục {count} đầu mối bị tạm dừng")
        )
        if not count:
            raise typer.Exit(output.EXIT_NEGATIVE)


def read_contacts_file(path: Path) -> list[LocatedContact]:
    """Return the contacts in *path*; raise `UnusableInputError` with every fault in it."""
    try:
        found, faults = contact_file.read_contacts(path)
    except RefusedTableError as cause:
        raise UnusableInputError(cause.detail, place=cause.place) from cause
    _refuse_faults(faults)
    return found


def resolve_contacts(located: Sequence[LocatedContact], documents: Documents) -> list[Contact]:
    """Return the contacts under permanent ids; raise `UnusableInputError` naming every agency that nobody knows."""
    resolved = list(contact_file.resolve_agencies(located, documents))
    _refuse_faults([one for one in resolved if isinstance(one, ContactFault)])
    return [one for one in resolved if isinstance(one, Contact)]


def _refuse_faults(faults: Sequence[ContactFault]) -> None:
    if faults:
        en, vi = (
            "\n".join(f"{one.place}: {one.detail.in_language(language)}" for one in faults) for language in ("en", "vi")
        )
        raise UnusableInputError(Bilingual.of(en=en, vi=vi))


def _print_unreachable(book: ContactBook, documents: Documents) -> bool:
    """Print each agency that has no valid contact today; return whether there is any."""
    now = clock_from(NotifierSettings().clock).now()
    found = False
    for plan, registry in documents:
        day = now.astimezone(ZoneInfo(plan.zone)).date()
        for agency in coverage.find_unreached(book, plan, registry, day):
            output.print_json({"agency": agency, "name": _name_on(registry, agency, day), "plan": plan.plan})
            found = True
    return found


def _print_season(book: ContactBook, documents: Documents, walked: Period) -> bool:
    """Print each agency that an alert of the season could not reach, with the days; return whether there is any."""
    settings = NotifierSettings()
    found = False
    for plan, registry in documents:
        simulated = SimulationDocuments(
            catalogues={plan.plan: DutyCatalogue(plan, registry)}, opens=settings.opens, closes=settings.closes
        )
        for one in unreached_recipients.find_unreached(simulated, book, walked):
            output.print_json(
                {
                    "agency": one.recipient,
                    "name": _name_on(registry, one.recipient, one.days[0]),
                    "plan": plan.plan,
                    "days": [str(day) for day in one.days],
                }
            )
            found = True
    return found


def _name_on(registry: Registry, agency: str, day: date) -> str | None:
    known = registry.agency(agency)
    return known.name_on(day) if known else None


def _list_rows() -> Iterator[dict[str, Any]]:
    for one in _query_store(ContactStore.load_book):
        yield {
            "agency": one.agency,
            "channel": one.channel.value,
            "address": one.address,
            "role": one.role.value,
            "language": one.language,
            "from": str(one.from_) if one.from_ else None,
            "to": str(one.to) if one.to else None,
            "suspended": one.suspended,
        }


def _normalize_address(text: str, channel: Channel | None) -> str:
    """Return *text* in the form in which addresses are kept; of which channel it is, its sign @ says."""
    kind = channel or (Channel.EMAIL if "@" in text else Channel.SMS)
    found = contact_cells.parse_address(kind, text.strip())
    if not isinstance(found, str):
        raise UnusableInputError(found, place="--address")
    return found


def _query_store(query: Callable[[ContactStore], Awaitable[Result]]) -> Result:
    """Run one query on the contacts in the notifier's own database."""
    vault = NotifierSettings().vault
    return ledger_queries.run_query(lambda client, name: query(ContactStore(client, name, vault)))
