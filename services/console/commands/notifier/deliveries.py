"""`dondoc deliveries`: who was told what, when, with what outcome; and sending again what was lost."""

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.plan.values import Bilingual
from services.console.commands.notifier import evidence, ledger_queries
from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.console.support.output import OutputFormat
from services.notifier.contacts.store import ContactStore
from services.notifier.core.dispatch import bounces
from services.notifier.dispatch import delivery_record_store
from services.notifier.dispatch.delivery_record_store import (
    DeliveryFilter,
    DeliveryRecord,
    DeliveryRecordStore,
    ResendRequest,
)
from services.notifier.dispatch.receipt_store import ReceiptStore
from services.notifier.settings import NotifierSettings
from services.runtime.clock import clock_from

app = typer.Typer(help="Who was told what, when, with what outcome.", no_args_is_help=True)

app.command()(evidence.evidence)

STATES = ("due", "claimed", "begun", *(one.value for one in AttemptOutcome))
LARGEST_LIMIT = 100_000
_PUBLIC_ID = re.compile(r"[0-9a-f]{8,64}")
_NONE_NAMED = Bilingual.of(
    en="name a delivery, or select some with --state, --agency, --plan or --since",
    vi="hãy ghi mã một lượt gửi, hoặc chọn bằng --state, --agency, --plan hay --since",
)
_NOTHING_RESENT = Bilingual.of(
    en="nothing was sent again; --again also takes what may have arrived",
    vi="không có gì được gửi lại; --again gửi lại cả những gì có thể đã đến nơi",
)
_NO_RETURN_PATH = Bilingual.of(
    en="set DONDOC_NOTIFIER_BOUNCE_DOMAIN and DONDOC_NOTIFIER_BOUNCE_KEY",
    vi="hãy đặt DONDOC_NOTIFIER_BOUNCE_DOMAIN và DONDOC_NOTIFIER_BOUNCE_KEY",
)
_NO_REPORT = Bilingual.of(
    en="the mail reports nothing final of a delivery of ours",
    vi="thư này không báo kết quả cuối cùng của lượt gửi nào",
)

DeliveryArgument = Annotated[
    str, typer.Argument(metavar="DELIVERY", help="Its id, as `dondoc deliveries list` shows it; 8 digits may do.")
]
AgencyOption = Annotated[str | None, typer.Option(help="Deliveries about duties of this agency.")]
PlanOption = Annotated[str | None, typer.Option(help="Deliveries about duties under this plan.")]
StateOption = Annotated[str | None, typer.Option(metavar="STATE", help=f"One of {', '.join(STATES)}.")]
ChannelOption = Annotated[Channel | None, typer.Option(help="Deliveries on this channel.")]
SinceOption = Annotated[
    str | None, typer.Option(metavar="T", help="Attempted or created since then, RFC 3339 with an offset.")
]
LimitOption = Annotated[int, typer.Option(min=1, max=LARGEST_LIMIT, help="How many at most.")]
FormatOption = Annotated[OutputFormat, typer.Option("--format", help="jsonl, or a table for people.")]
AuthorOption = Annotated[str, typer.Option(help="Who asks for it; it stays on record.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stays on record.")]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Also what may have arrived: accepted, confirmed or of unknown outcome.")
]


@app.command("list")
def list_deliveries(
    *,
    agency: AgencyOption = None,
    plan: PlanOption = None,
    state: StateOption = None,
    channel: ChannelOption = None,
    since: SinceOption = None,
    limit: LimitOption = 1_000,
    fmt: FormatOption = OutputFormat.JSONL,
) -> None:
    """List deliveries, the latest attempt first."""
    with output.exit_on_errors():
        wanted = _read_filter(agency=agency, plan=plan, state=state, channel=channel, since=since)
        records = ledger_queries.run_query(
            lambda client, name: DeliveryRecordStore(client, name).find(wanted, limit=limit)
        )
        output.print_rows(map(delivery_record_store.describe_record, records), fmt, title="Deliveries")


@app.command()
def show(delivery: DeliveryArgument) -> None:
    """Show one delivery with its duties, as one JSON object."""
    with output.exit_on_errors():
        record = _find_one(delivery)
        duties = delivery_record_store.describe_duties(record)
        output.print_json({**delivery_record_store.describe_record(record), "duties": duties})


@app.command()
def resend(
    delivery: Annotated[
        str | None, typer.Argument(metavar="[DELIVERY]", help="One delivery; else those selected.")
    ] = None,
    *,
    author: AuthorOption,
    reason: ReasonOption,
    again: AgainOption = False,
    agency: AgencyOption = None,
    plan: PlanOption = None,
    state: StateOption = None,
    channel: ChannelOption = None,
    since: SinceOption = None,
) -> None:
    """Send again what was refused, bounced or expired; exit 1 if there is nothing that may be sent again.

    An alert whose reason is gone is not sent. A mail goes out under the same Message-ID.
    """
    with output.exit_on_errors():
        inputs.require_words(author=author, reason=reason)
        if delivery is not None:
            wanted = DeliveryFilter(public_id=_find_one(delivery).delivery.id)
        else:
            wanted = _read_filter(agency=agency, plan=plan, state=state, channel=channel, since=since)
            if wanted == DeliveryFilter():
                raise UnusableInputError(_NONE_NAMED)
        asked = ResendRequest(author=author, reason=reason, even_if_in_doubt=again)
        rows = ledger_queries.run_query(
            lambda client, name: _resend_all(DeliveryRecordStore(client, name), wanted, asked)
        )
        for row in rows:
            output.print_json(row)
        if not any(row["resent"] for row in rows):
            output.print_message(_NOTHING_RESENT)
            raise typer.Exit(output.EXIT_NEGATIVE)


@app.command("read-report")
def read_report(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The mail; without it, standard input.")] = None,
) -> None:
    """Read one mail of the return path (a bounce, a confirmation, a complaint) and record what it says.

    For the pipe of a mail server: a mail that reports nothing of ours is dropped with exit code 0, since a pipe that
    fails would send a bounce about the bounce. Exit 2 (try again) only where the database does not answer.
    """
    with output.exit_on_errors():
        settings = NotifierSettings()
        if settings.return_path is None:
            raise UnusableInputError(_NO_RETURN_PATH)
        content = sys.stdin.buffer.read() if file is None else file.read_bytes()
        report = bounces.parse_report(content, settings.return_path)
        if report is None:
            output.print_message(_NO_REPORT)
            return
        now = clock_from(settings.clock).now()
        vault = settings.vault
        is_new = ledger_queries.run_query(
            lambda client, name: ReceiptStore(
                client, name, contacts=ContactStore(client, name, vault), vault=vault
            ).record_report(report, now)
        )
        output.print_json(
            {"delivery": report.public_id, "outcome": report.outcome, "reason": report.reason, "is_new": is_new}
        )


@app.command()
def erase(
    ended_before: Annotated[
        str, typer.Option("--ended-before", metavar="DATE", help="Deliveries whose last attempt was before this day.")
    ],
) -> None:
    """Erase the addresses of deliveries that ended long ago; exit 1 if there were none. What was told to whom stays."""
    with output.exit_on_errors():
        before = datetime.combine(inputs.read_date(ended_before, "--ended-before"), time.min, tzinfo=UTC)
        count = ledger_queries.run_query(lambda client, name: DeliveryRecordStore(client, name).erase(before))
        output.print_message(
            Bilingual.of(
                en=f"the address is erased from {count} delivery(ies)", vi=f"đã xóa địa chỉ khỏi {count} lượt gửi"
            )
        )
        if not count:
            raise typer.Exit(output.EXIT_NEGATIVE)


async def _resend_all(
    store: DeliveryRecordStore, wanted: DeliveryFilter, asked: ResendRequest
) -> list[Mapping[str, Any]]:
    return [
        {"delivery": one.delivery.public_id, "state": one.state, "resent": await store.resend(one, asked)}
        for one in await store.find(wanted, limit=LARGEST_LIMIT)
    ]


def _find_one(delivery: str) -> DeliveryRecord:
    if not _PUBLIC_ID.fullmatch(delivery):
        detail = Bilingual.of(
            en=f"{delivery!r} is no id of a delivery; `dondoc deliveries list` shows them",
            vi=f"“{delivery}” không phải mã lượt gửi; xem mã bằng `dondoc deliveries list`",
        )
        raise UnusableInputError(detail)
    wanted = DeliveryFilter(public_id=delivery)
    found = ledger_queries.run_query(lambda client, name: DeliveryRecordStore(client, name).find(wanted, limit=2))
    if len(found) != 1:
        count, count_vi = ("several deliveries have", "nhiều") if found else ("no delivery has", "không có")
        detail = Bilingual.of(
            en=f"{count} an id that begins with {delivery}; `dondoc deliveries list` shows them",
            vi=f"{count_vi} lượt gửi có mã bắt đầu bằng {delivery}; xem mã bằng `dondoc deliveries list`",
        )
        raise UnusableInputError(detail)
    return found[0]


def _read_filter(
    *, agency: str | None, plan: str | None, state: str | None, channel: Channel | None, since: str | None
) -> DeliveryFilter:
    if state is not None and state not in STATES:
        known = ", ".join(STATES)
        detail = Bilingual.of(en=f"write one of {known}", vi=f"hãy ghi một trong các giá trị {known}")
        raise UnusableInputError(detail, place=f"--state {state}")
    return DeliveryFilter(
        agency=agency,
        plan=plan,
        state=state,
        channel=channel and channel.value,
        since=inputs.read_instant(since, "--since") if since else None,
    )
