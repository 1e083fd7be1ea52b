"""Mails on disk: one file each, numbered in order of arrival, whole or not there. Knows no protocol."""

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

NAME = re.compile(r"\d{6,}\.eml")


class Mailbox:
    """A folder of .eml files; one process writes, any may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._last = max((int(path.stem) for path in folder.glob("*.eml")), default=0)

    def keep(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Write one mail with its envelope on top, as a delivering server does; give its name."""
        self._last += 1
        name = f"{self._last:06d}.eml"
        envelope = "".join(f"{line}\r\n" for line in [f"Return-Path: <{sender}>", *_delivered_to(recipients)])
        fresh = self.folder / f"{name}.new"
        fresh.write_bytes(envelope.encode("utf-8") + content)
        fresh.replace(self.folder / name)
        return name

    def names(self) -> list[str]:
        """List the mails in order of arrival."""
        return sorted(path.name for path in self.folder.glob("*.eml"))

    def mails(self) -> Iterator[EmailMessage]:
        """Parse each mail in order of arrival."""
        return (self.mail(name) for name in self.names())

    def mail(self, name: str) -> EmailMessage:
        """Parse one mail; raises FileNotFoundError for a name that is not of this mailbox."""
        return message_from_bytes(self.raw(name), _class=EmailMessage, policy=default)

    def raw(self, name: str) -> bytes:
        """Read one mail as it came, envelope lines on top."""
        if not NAME.fullmatch(name):
            raise FileNotFoundError(name)
        return (self.folder / name).read_bytes()


def _delivered_to(recipients: Sequence[str]) -> list[str]:
    return [f"Delivered-To: {recipient}" for recipient in recipients]
