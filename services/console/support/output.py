"""Writes the output of commands: data to stdout, messages to stderr, and an exit code.

The exit code is 0 for success, 1 for a negative finding and 2 for unusable input. Messages are in the language of the
person at the terminal: the option `--lang` where a command has it, else the locale of the environment.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from schemas.plan import values
from schemas.plan.values import Language
from schemas.problems import Text
from services.console.support.inputs import UnusableInputError
from services.runtime import json_lines, settings

EXIT_NEGATIVE = 1
EXIT_UNUSABLE = settings.EXIT_UNUSABLE
_WIDTH_OF_FILE = 100_000  # columns, more than any table has


class OutputFormat(StrEnum):
    """How rows are printed."""

    JSONL = "jsonl"
    TABLE = "table"


def find_language(environment: Mapping[str, str] = os.environ) -> Language:
    """Return the language that the locale asks for, by the variables of POSIX and the `LANGUAGE` of GNU gettext.

    English where it asks for neither of ours, or for none.
    """
    locale = next(filter(None, map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "C")
    if locale.partition(".")[0] in {"C", "POSIX"}:
        return "en"
    wanted = (environment.get("LANGUAGE") or locale).split(":")
    return next((code for one in wanted for code in LANGUAGES if one.lower().startswith(code)), "en")


LANGUAGES: tuple[Language, ...] = ("vi", "en")
LanguageOption = Annotated[
    Language, typer.Option("--lang", default_factory=find_language, help="Language of refusals; default: the locale's.")
]


def print_message(message: Text, language: Language | None = None) -> None:
    """Write a message for the person at the terminal to stderr."""
    said = message if isinstance(message, str) else message.in_language(language or find_language())
    sys.stderr.write(f"{said}\n")


@contextmanager
def exit_on_errors(language: Language | None = None) -> Iterator[None]:
    """Turn unusable input and invalid settings into a message on stderr and exit code 2."""
    try:
        yield
    except UnusableInputError as cause:
        print_message(cause.detail, language)
        raise typer.Exit(EXIT_UNUSABLE) from cause
    except ValidationError as cause:
        if not cause.title.endswith("Settings"):  # any other failed validation is a fault of ours
            raise
        print_message("\n".join(settings.describe_errors(cause)))
        raise typer.Exit(EXIT_UNUSABLE) from cause


def print_json(row: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own; no text inside it can break the line or fail to be encoded."""
    sys.stdout.write(json_lines.encode_line(row).decode())


def print_rows(rows: Iterable[Mapping[str, Any]], fmt: OutputFormat, *, title: str) -> None:
    """Print *rows* as JSON lines, or as a table for people; no cell of it is cut, for half an id names nothing."""
    if fmt is OutputFormat.JSONL:
        for row in rows:
            print_json(row)
        return
    all_rows = list(rows)
    table = Table(title=title)
    for column in all_rows[0] if all_rows else ():
        table.add_column(column, overflow="fold")
    for row in all_rows:
        table.add_row(*(_format_cell(value) for value in row.values()))
    console = Console()
    if not console.is_terminal:  # a file or a pipe has no width to which a line would have to be broken
        console.width = _WIDTH_OF_FILE
    console.print(table)


def format_instant(value: datetime | None, zone: ZoneInfo) -> str | None:
    """Return an instant as RFC 3339 with milliseconds in *zone*, the plan's time zone."""
    return None if value is None else values.move_to_zone(value, zone).isoformat(timespec="milliseconds")


def _format_cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case {"source": source, "clause": clause}:
            return f"{source} {clause}"
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)
