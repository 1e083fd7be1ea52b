"""Writes a report sheet as CSV: the columns of the workbook, for a person without a spreadsheet program."""

import csv
from pathlib import Path

from services.console.sheets.layout import HEADER, NOTES, SheetLayout

# UTF-8 with a byte order mark, without which spreadsheet programs misread Vietnamese.
ENCODING = "utf-8-sig"


def write_csv(sheet: SheetLayout, path: Path) -> None:
    """Write *sheet* to *path*."""
    with path.open("w", encoding=ENCODING, newline="") as stream:
        rows = csv.writer(stream)
        rows.writerows([["", sheet.title], ["", sheet.basis], ["", sheet.quote], HEADER])
        for section in sheet.sections:
            rows.writerow(["", section.title])
            for line in section.lines:
                hint = "; ".join((line.hint, *line.choices)) if line.question.key == "agency" else line.hint
                rows.writerow([line.question.key, line.label, line.answer, line.unit, hint])
        rows.writerows(["", note] for note in (NOTES, *sheet.notes) if sheet.notes)
