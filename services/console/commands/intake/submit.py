"""`dondoc submit FILE`: posts events or a filled report sheet to intake, one request each, and prints the receipts.

The command is safe to repeat, because intake answers an event that it has received already with its first receipt.
"""

from pathlib import Path
from typing import Annotated

import typer

from schemas.plan.values import Bilingual
from services.console.commands.intake import event_files, posting
from services.console.commands.intake.posting import SubmissionRefusedError
from services.console.support import output


def submit(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Events (.json, .jsonl) or a filled report sheet (.xlsx, .csv).")
    ],
    *,
    url: Annotated[str, typer.Option(envvar="DONDOC_INTAKE_URL", help="Where intake is.")] = "http://127.0.0.1:8001",
    key: Annotated[str, typer.Option(envvar="DONDOC_KEY", help="The key to post with.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask what would be missing; record nothing.")] = False,
    attempts: Annotated[int, typer.Option(min=1, help="How often an event is tried while intake cannot take it.")] = 8,
    lang: output.LanguageOption,
) -> None:
    """Hand in events and print a signed receipt a line. Exit 1 if any was refused."""
    with output.exit_on_errors(lang):
        events = list(event_files.read_events(file, lang))
        opened = posting.open_client(url, key, lang)
    query = {"dry_run": "true"} if dry_run else {}
    refused_count = 0
    with output.exit_on_errors(lang), opened as client:
        for event in events:
            for warning in event.warnings:
                output.print_message(warning)
            try:
                answer = posting.post_with_retries(client, event.body, query, attempts=attempts)
            except SubmissionRefusedError as refusal:
                refused_count += 1
                output.print_message(f"{event.place}: {refusal.in_language(lang)}")
                for pointer, detail in refusal.faults:
                    output.print_message(f"{event.place_of(pointer)}: {detail}")
            else:
                # Only a dry run answers them.
                for finding in answer.get("findings", ()):
                    output.print_message(f"{event.place_of(finding['pointer'])}: {finding['detail'][lang]}")
                output.print_json(posting.receipt_row(answer))
    if refused_count:
        output.print_message(_count_refused(refused_count, len(events)), lang)
        raise typer.Exit(output.EXIT_NEGATIVE)


def _count_refused(refused: int, total: int) -> Bilingual:
    return Bilingual.of(en=f"{refused} of {total} refused", vi=f"{refused} trong {total} sự kiện không được tiếp nhận")
