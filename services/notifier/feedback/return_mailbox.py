"""The mailbox to which return paths lead, read over IMAP (RFC 3501): bounces, confirmations and complaints.

The mailbox belongs to the notifier alone, because a mail that somebody else opens counts as read. Several processes may
read it: a report that is recorded twice changes nothing.
"""

import asyncio
import imaplib
import logging
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from services.notifier.core.dispatch import bounces
from services.notifier.core.dispatch.bounces import LARGEST_REPORT, MailReport, ReturnPath

MAILS_AT_ONCE = 50

# Records a report. If it raises, the mail is read again.
OnReport = Callable[[MailReport], Coroutine[None, None, None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapAccount:
    """Where the mailbox is, and how the connection is secured."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    ca_file: Path | None
    user: str
    password: str
    folder: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedMail:
    """One mail of the mailbox: its number there, and what it reports of one of our deliveries, if anything."""

    uid: str
    report: MailReport | None


class ReturnMailbox:
    """Reads what is new, on a connection that stays open. *on_state* is told whether the mailbox can be read."""

    def __init__(
        self, account: ImapAccount, path: ReturnPath, *, on_report: OnReport, on_state: Callable[[bool], None]
    ) -> None:
        self._account = account
        self._path = path
        self._on_report = on_report
        self._on_state = on_state
        self._connection: imaplib.IMAP4 | None = None

    async def read_new(self) -> bool:
        """Record what the unread mails report, and mark them as read; return whether there may be more."""
        try:
            # The client of the standard library blocks, so it works in a thread.
            mails = await asyncio.to_thread(self._fetch_unread)
            for one in mails:
                if one.report is not None:
                    await self._on_report(one.report)
            # Only now: a process that dies in between reads them again.
            await asyncio.to_thread(self._mark_read, [one.uid for one in mails])
        except (imaplib.IMAP4.error, OSError) as cause:
            self._drop_connection()
            self._on_state(False)  # noqa: FBT003 - what `on_state` is told
            log.warning(
                "the return mailbox cannot be read", extra={"action": "mailbox_closed", "reason": type(cause).__name__}
            )
            return False
        self._on_state(True)  # noqa: FBT003 - as above
        return len(mails) == MAILS_AT_ONCE

    async def close(self) -> None:
        """Log out."""
        if self._connection is not None:
            await asyncio.to_thread(self._log_out)

    def _fetch_unread(self) -> Sequence[ReturnedMail]:
        connection = self._connection or self._connect()
        self._connection = connection
        _require(connection.noop())  # or the server may not tell of new mails
        found = _require(connection.uid("SEARCH", "UNSEEN"))
        uids = (found[0] or b"").decode("ascii").split()[:MAILS_AT_ONCE]
        return [self._fetch(connection, uid) for uid in uids]

    def _fetch(self, connection: imaplib.IMAP4, uid: str) -> ReturnedMail:
        # PEEK leaves it unread; a mail that is too large for a report is cut off.
        parts = _require(connection.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST_REPORT}>)"))
        content = next((part[1] for part in parts if isinstance(part, tuple)), b"")
        return ReturnedMail(uid=uid, report=bounces.parse_report(content, self._path))

    def _mark_read(self, uids: Sequence[str]) -> None:
        if uids and self._connection is not None:
            _require(self._connection.uid("STORE", ",".join(uids), "+FLAGS.SILENT", r"(\Seen)"))

    def _connect(self) -> imaplib.IMAP4:
        account = self._account
        context = ssl.create_default_context(cafile=None if account.ca_file is None else str(account.ca_file))
        timeout = account.timeout_seconds
        if account.security == "tls":
            connection: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                account.host, account.port, ssl_context=context, timeout=timeout
            )
        else:
            connection = imaplib.IMAP4(account.host, account.port, timeout=timeout)
        try:
            if account.security == "starttls":
                connection.starttls(context)
            connection.login(account.user, account.password)
            _require(connection.select(f'"{account.folder}"'))
        except BaseException:
            connection.shutdown()
            raise
        return connection

    def _log_out(self) -> None:
        try:
            if self._connection is not None:
                self._connection.logout()
        except (imaplib.IMAP4.error, OSError):
            self._drop_connection()
        self._connection = None

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.shutdown()
        self._connection = None


def _require(answer: tuple[str, Any]) -> Any:  # noqa: ANN401 - what an answer holds depends on the command
    """Return the data of an answer; raise `imaplib.IMAP4.error` unless it is OK. Its text is not quoted."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return data
