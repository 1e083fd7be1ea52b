"""What a language must be able to say. The sentences themselves stand in `vietnamese` and `english`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.notifier.core.matters import Matter


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


DETAILED = 6  # matters told row by row; of more, each is a line of one table, for a superior looks down a list


def is_list(matters: Sequence[Matter]) -> bool:
    """Whether *matters* are told as a list: too many for details, and none with a link to open."""
    return len(matters) > DETAILED and not any(one.link for one in matters)


class Wording(Protocol):
    """One language. *reader* is the name of the agency that reads, or nothing for a contact list."""

    def prose(self, matters: Sequence[Matter], reader: str | None) -> Prose:
        """Return the mail about *matters*, the most pressing first."""
        ...

    def short(self, matters: Sequence[Matter], reader: str | None) -> tuple[str, ...]:
        """Return the SMS about *matters*, from the fullest wording to the tersest."""
        ...
