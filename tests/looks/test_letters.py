"""Letters as a clerk sees them: on a phone and at a desk, in light and dark, nothing wider than the window."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.pages import letters
from tests.support.pages.browser import start_browser
from tests.unit.notifier.core.rendering import test_officer_letter
from tests.unit.notifier.core.rendering.test_letters import LETTERS
from tests.unit.notifier.letters_of_6766 import write_letter


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_no_letter_is_wider_than_its_window_and_dark_is_dark(language: Any, tmp_path: Path) -> None:
    """Every kind at both widths and in both schemes; the label stands above its value on a phone alone."""
    written = {
        name: write_letter(alert, **{**given, "language": language}).html or ""
        for name, (alert, given, _, _) in LETTERS.items()
    }
    written["officer-digest"] = test_officer_letter.write(test_officer_letter.a_digest(), language=language).html or ""
    async with start_browser() as browser:
        for view in letters.ALL_VIEWS:
            await letters.check_letters(browser, view, written, tmp_path)
