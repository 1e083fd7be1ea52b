"""What a message consists of, and what a language must be able to say. The phrases stand in `vietnamese` and `english`.

How phrases become a letter is `letter`'s to decide, how a letter looks is `layout`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from schemas.plan.periods import Period
from services.notifier.core.rendering.template_context import Deadline, Matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A labelled line of a message: one value, or a list of them; a link's value is what is written on it."""

    label: str
    values: tuple[str, ...]
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """A whole message in words, not yet laid out as plain text or HTML. Every item of a digest is a group of rows."""

    subject: str
    greeting: str
    opening: str
    items: tuple[tuple[Row, ...], ...]
    closing: tuple[str, ...]
    signature: str
    footer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What stands before the values of a matter told row by row."""

    title: str
    agency: str
    basis: str
    deadline: str
    state: str
    lacks: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a language says the same way whatever the matter.

    `signature` speaks where no receiver is known, `reader` stands for a reader without a name. `absent`, `early` and
    `partial` are the states of a report; `lacking` goes on in a sentence, `missing` begins one.
    """

    labels: Labels
    signature: str
    reader: str
    closing: str
    footer: str
    open_form: str
    clause: str
    due: str
    undated: str
    nearest: str
    absent: str
    early: str
    partial: str
    lacking: str
    missing: str
    unsigned: str
    unit: str
    low: str
    high: str
    units: Mapping[str, str]
    media_types: Mapping[str, str]


class Phrases(Protocol):
    """One language: its words, and the sentences and forms that it builds its own way.

    *about* is a title with its period, *by* a deadline in words, *who* speaks to *reader*.
    """

    words: Words

    def greeting(self, reader: str | None) -> str: ...

    def subject(self, one: Matter, about: str) -> str: ...

    def subject_of_many(self, count: int, sources: str) -> str: ...

    def opening(self, one: Matter, *, who: str, by: str, reader: str) -> str: ...

    def opening_of_many(self, count: int, *, who: str, reader: str) -> str: ...

    def basis(self, one: Matter) -> str: ...

    def report(self, one: Matter, about: str) -> str: ...

    def report_in_brief(self, one: Matter, of_period: str) -> str: ...

    def short(self, one: Matter, report: str) -> str: ...

    def short_of_many(self, count: int, *, sources: str, reader: str) -> str: ...

    def section(self, title: str) -> str: ...

    def indicator(self, title: str) -> str: ...

    def attachments(self, least: int) -> str: ...

    def day(self, due: Deadline) -> str: ...

    def distance(self, due: Deadline) -> str: ...

    def period(self, period: Period) -> str: ...

    def number(self, value: float) -> str: ...
