"""A mail that is drawn once for many readers says to each of them what it would say if it were drawn for him alone."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.notifier.core.rendering import render
from tests.unit.notifier.core.rendering.test_letters import LETTERS
from tests.unit.notifier.letters_of_6766 import write_letter

HOSTILE = {
    "reader": "Sở Công Thương & Du lịch <phòng 2>",
    "agency": "UBND xã “Ba Đình” \ue000reader\ue001",
    "link": "https://forms.example/?t=a.b&c=%22",
    "ack_link": "https://dondoc.example/acknowledge?t=x&y='z'",
    "dashboard_link": "https://dondoc.example/agencies/a?t=1",
}


@pytest.mark.parametrize("name", LETTERS)
def test_names_and_links_are_put_in_as_if_the_mail_were_drawn_with_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a name and a link or without, in plain text as they are and in HTML escaped."""
    drawn: list[tuple[str, Mapping[str, Any]]] = []
    draw_mail = render.draw_mail

    def draw_and_remember(template: str, values: Mapping[str, Any]) -> tuple[str, str, str]:
        drawn.append((template, values))
        return draw_mail(template, values)

    monkeypatch.setattr(render, "draw_mail", draw_and_remember)
    alert, given, _, _ = LETTERS[name]
    write_letter(alert, **given)
    ((template, values),) = drawn
    for changed in ({}, HOSTILE, dict.fromkeys(HOSTILE, "")):
        wanted = dict(values) | {one: value for one, value in changed.items() if one in values}
        assert draw_mail(template, wanted) == render._draw(template, wanted)


def test_two_mails_that_differ_in_their_reader_are_drawn_once() -> None:
    """The second one takes no drawing, and greets its own reader."""
    alert, given, _, _ = LETTERS["first reminder"]
    render._draw_marked.cache_clear()
    write_letter(alert, **given)
    again = write_letter(alert, **given)
    assert render._draw_marked.cache_info()[:2] == (1, 1)
    assert "\ue000" not in f"{again.body}{again.html}"
