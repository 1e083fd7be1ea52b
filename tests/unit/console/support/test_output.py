"""Rows for people: no cell is cut, whether a terminal shows them or a file holds them."""

import pytest

from services.console.support import output
from services.console.support.output import OutputFormat

ROW = {f"column_{number}": f"{number}" * 40 for number in range(8)}


def test_a_table_in_a_file_has_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody's terminal limits the width, every cell stands on one line: `grep` finds it."""
    output.print_rows([ROW], OutputFormat.TABLE, title="rows")
    shown = capsys.readouterr().out
    assert [cell for cell in ROW.values() if cell not in shown] == []


def test_a_table_on_a_narrow_terminal_loses_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell is folded and never cut: an id of which the end is missing names nothing."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    output.print_rows([ROW], OutputFormat.TABLE, title="rows")
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert [shown.count(cell[0]) >= len(cell) for cell in ROW.values()] == [True] * len(ROW)
