"""A mailbox on disk: one file per mail, numbered in order of arrival and written atomically."""

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

NAME = re.compile(r"\d{6,}\.eml")


class Mailbox:
    """A folder of .eml files. One process writes, any may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._last = max((int(path.stem) for path in folder.glob("*.eml")), default=0)

    def add(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Write one mail with its envelope in front (RFC 5321 section 4.4); return its name."""
        self._last += 1
        name = f"{self._last:06d}.eml"
        envelope = "".join(f"{line}\r\n" for line in [f"Return-Path: <{sender}>", *_recipient_lines(recipients)])
        fresh = self.folder / f"{name}.new"
        fresh.write_bytes(envelope.encode("utf-8") + content)
        fresh.replace(self.folder / name)
        return name

    def names(self) -> list[str]:
        """Return the names of the mails in order of arrival."""
        return sorted(path.name for path in self.folder.glob("*.eml"))

    def mails(self) -> Iterator[EmailMessage]:
        """Yield the mails in order of arrival."""
        return (self.mail(name) for name in self.names())

    def mail(self, name: str) -> EmailMessage:
        """Return one mail; raise `FileNotFoundError` if *name* is no mail of this mailbox."""
        return message_from_bytes(self.raw(name), _class=EmailMessage, policy=default)

    def raw(self, name: str) -> bytes:
        """Return the bytes of one mail, the lines of its envelope in front."""
        if not NAME.fullmatch(name):
            raise FileNotFoundError(name)
        return (self.folder / name).read_bytes()


def _recipient_lines(recipients: Sequence[str]) -> list[str]:
    return [f"Delivered-To: {recipient}" for recipient in recipients]
