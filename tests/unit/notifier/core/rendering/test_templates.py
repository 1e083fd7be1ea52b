"""The templates: complete in both languages, strict, and held to their version."""

import hashlib
import json
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from services.notifier.core.rendering import render
from services.notifier.core.rendering.letter import Letter

FOLDER = Path(render.__file__).parents[2] / "templates"
RECORDED = Path(__file__).with_name("templates.json")


def test_both_languages_have_the_same_templates() -> None:
    """A kind that one language lacks would fail on the night of the deadline."""
    names = [sorted(one.name for one in (FOLDER / language).iterdir()) for language in ("vi", "en")]
    assert names[0] == names[1]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_value_that_is_not_given_is_an_error(language: str) -> None:
    """A hole in a letter is never sent."""
    with pytest.raises(UndefinedError):
        render.write_mail(Letter(template="reminder", values={}), language)  # type: ignore[arg-type]


def test_a_changed_template_has_a_new_version() -> None:
    """The record names the version, so a version means the same words for ever.

    After a change raise `VERSION` in `render.py`, and write the digests that this test prints into templates.json.
    """
    files = sorted(one for one in FOLDER.rglob("*") if one.is_file())
    digests = {one.relative_to(FOLDER).as_posix(): hashlib.sha256(one.read_bytes()).hexdigest()[:16] for one in files}
    found = {"version": render.VERSION, "digests": digests}
    assert json.loads(RECORDED.read_text(encoding="utf-8")) == found, json.dumps(found, indent=1)


def test_the_digest_of_a_letter_covers_every_file_that_it_is_made_of() -> None:
    """Two letters differ, and so do the mail and the text message of one kind."""
    stamps = {
        render.stamp_template(letter, "vi", is_sms=is_sms).digest
        for letter in ("reminder", "urging", "overdue-list")
        for is_sms in (False, True)
    }
    assert len(stamps) == 4  # text messages stand in one file
