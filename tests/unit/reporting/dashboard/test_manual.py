"""The manual in `docs/vi`: complete, served by the help, and in the words that the pages use."""

import re
from pathlib import Path

import pytest

from schemas.events.assessments import Status
from services.reporting.core import labels
from services.reporting.dashboard import manual
from tests.support.pages import manual_pictures

DOCS = Path(__file__).parents[4] / "docs"
PICTURES_MAX = 2 * 1024 * 1024  # bytes in all
DOCUMENTS = manual.read_manual((DOCS,))


@pytest.mark.parametrize("name", manual.DOCUMENTS)
def test_every_link_and_picture_of_a_document_is_served(name: str) -> None:
    """Links lead to other documents of the help, and of each picture it is `make looks` that takes it."""
    body = DOCUMENTS[name].body
    targets = re.findall(r'(?:href|src)="([^"]+)"', body)
    pictures = manual.read_pictures((DOCS,))
    known = {f"/help/{one}" for one in manual.DOCUMENTS} | {f"/help/images/{one}" for one in pictures}
    assert set(targets) - known == set()
    written = (DOCS / "vi" / f"{name}.md").read_text(encoding="utf-8")
    taken = {one.name for one in manual_pictures.list_pictures("", "")}
    taken |= {manual_pictures.FORM, manual_pictures.RECEIPT, manual_pictures.SEALED}
    assert set(re.findall(r"\.\./images/([a-z-]+)\.png", written)) <= taken
    assert "<h1" not in body
    assert all(alternative for alternative in re.findall(r'<img[^>]* alt="([^"]*)"', body))


def test_the_pictures_are_small() -> None:
    """They lie in the repository and in the wheel."""
    assert sum(len(one) for one in manual.read_pictures((DOCS,)).values()) < PICTURES_MAX


def test_the_agencys_document_explains_every_status_by_its_name() -> None:
    """The word on the page is the word in the manual; whom a duty does not bind sees none."""
    text = (DOCS / "vi" / "don-vi.md").read_text(encoding="utf-8")
    named = {status: labels.status_label(status, "vi") for status in Status if status is not Status.NOT_APPLICABLE}
    assert {status: name for status, name in named.items() if name not in text} == {}


def test_an_installation_without_the_manual_has_none(tmp_path: Path) -> None:
    """The help then shows its own texts alone."""
    assert (manual.read_manual((tmp_path,)), manual.read_pictures((tmp_path,))) == ({}, {})
