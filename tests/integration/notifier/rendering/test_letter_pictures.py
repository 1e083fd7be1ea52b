"""Letters in a real browser: what `make looks` does with every kind in every form, in pairs."""

from pathlib import Path

from tests.support.pages import letters
from tests.support.pages.browser import start_browser
from tests.unit.notifier.core.rendering.test_letters import LETTERS
from tests.unit.notifier.letters_of_6766 import write_letter


async def test_each_kind_is_readable_on_a_phone_and_at_a_desk_in_light_and_dark(tmp_path: Path) -> None:
    """Each width meets each scheme and each language over the kinds, and each kind has two of these pictures."""
    pages: list[dict[str, str]] = [{} for _ in letters.ALL_VIEWS]
    for place, (name, (alert, given, _, _)) in enumerate(LETTERS.items()):
        # A phone in light with a desk in dark, then a phone in dark with a desk in light.
        for form, language in ((place % 2, "vi"), (3 - place % 2, "en")):
            pages[form][name] = write_letter(alert, **{**given, "language": language}).html or ""
    async with start_browser() as browser:
        for view, written in zip(letters.ALL_VIEWS, pages, strict=True):
            await letters.check_letters(browser, view, written, tmp_path)
    assert len(list(tmp_path.glob("*.png"))) == 2 * len(LETTERS)
