"""A report sheet as CSV: the same columns as the workbook, for whoever has no spreadsheet program at hand."""

import csv
from pathlib import Path

from services.console.sheets.layout import HEADER, NOTES, Sheet

ENCODING = "utf-8-sig"
"""With a mark of its encoding, without which spreadsheet programs misread Vietnamese."""


def write(sheet: Sheet, path: Path) -> None:
    """Write *sheet* to *path*."""
    with path.open("w", encoding=ENCODING, newline="") as stream:
        rows = csv.writer(stream)
        rows.writerows([["", sheet.title], ["", sheet.basis], ["", sheet.quote], HEADER])
        for part in sheet.parts:
            rows.writerow(["", part.title])
            for line in part.lines:
                listed = "; ".join((line.hint, *line.choices)) if line.question.key == "agency" else line.hint
                rows.writerow([line.question.key, line.label, line.answer, line.unit, listed])
        rows.writerows(["", note] for note in (NOTES, *sheet.notes) if sheet.notes)
