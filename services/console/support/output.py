"""What a command says: data to stdout, talk to stderr, and an exit code.

The codes are 0 for done, 1 for a negative finding and 2 for unusable input.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from schemas.plan import instants
from services.console.support.inputs import Unusable
from services.runtime import settings

LINE_BREAKS = {ord(one): f"\\u{ord(one):04x}" for one in "\x85\u2028\u2029"}
"""What JSON lets stand in a text and many readers take for the end of a line, and how it is escaped."""

NEGATIVE = 1
UNUSABLE = settings.EXIT_UNUSABLE


class Format(StrEnum):
    """How rows are printed."""

    JSONL = "jsonl"
    TABLE = "table"


def say(message: str) -> None:
    """Tell the person at the terminal something that is not data."""
    sys.stderr.write(f"{message}\n")


@contextmanager
def exits() -> Iterator[None]:
    """Turn unusable input, and settings that cannot be, into their message and exit code 2."""
    try:
        yield
    except Unusable as cause:
        say(str(cause))
        raise typer.Exit(UNUSABLE) from cause
    except ValidationError as cause:
        if not cause.title.endswith("Settings"):  # any other document that does not fit is a fault of ours
            raise
        say("\n".join(settings.describe_errors(cause)))
        raise typer.Exit(UNUSABLE) from cause


def line(row: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own, which nothing inside it can break or leave unwritable."""
    text = json.dumps(row, ensure_ascii=False).translate(LINE_BREAKS)
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")


def rows(rows: Iterable[Mapping[str, Any]], fmt: Format, *, title: str) -> None:
    """Print *rows* as JSON lines, or as a table for people."""
    if fmt is Format.JSONL:
        for row in rows:
            line(row)
        return
    listed = list(rows)
    table = Table(title=title)
    for column in listed[0] if listed else ():
        table.add_column(column)
    for row in listed:
        table.add_row(*(_cell(value) for value in row.values()))
    Console().print(table)


def instant(value: datetime | None, zone: ZoneInfo) -> str | None:
    """Write an instant as RFC 3339 with milliseconds in the plan's zone."""
    return None if value is None else instants.in_zone(value, zone).isoformat(timespec="milliseconds")


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case {"source": source, "clause": clause}:
            return f"{source} {clause}"
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)
