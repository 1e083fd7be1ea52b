"""A log of SMS on disk: one JSON line per complete message, in order of arrival. It joins the parts of messages."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.servers.smpp_pdu import SubmitSm
from deploy.local.servers.sms_text import ReceivedSmsPart, decode, encoding_name


@dataclass(slots=True, kw_only=True)
class PendingMessage:
    """The parts of one message that have arrived so far, by number."""

    parts: dict[int, bytes] = field(default_factory=dict)
    message_ids: dict[int, str] = field(default_factory=dict)


class SmsLog:
    """Appends to one file. As on a handset, the parts of a message that never completes are never shown."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._pending: dict[tuple[str, str, int, int], PendingMessage] = {}

    def add(self, submission: SubmitSm, part: ReceivedSmsPart, message_id: str) -> None:
        """Add one part; write the message if it is complete now."""
        key = (submission.source, submission.destination, part.reference, part.total)
        pending = self._pending.setdefault(key, PendingMessage())
        pending.parts[part.number] = part.content
        pending.message_ids[part.number] = message_id
        if len(pending.parts) < part.total:
            return
        del self._pending[key]
        self._write(submission, pending)

    def _write(self, submission: SubmitSm, complete: PendingMessage) -> None:
        numbers = sorted(complete.parts)
        line = {
            "message_ids": [complete.message_ids[number] for number in numbers],
            "from": submission.source,
            "to": submission.destination,
            "encoding": encoding_name(submission.data_coding),
            "parts": len(numbers),
            "text": decode(b"".join(complete.parts[number] for number in numbers), submission.data_coding),
        }
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(path: Path) -> list[dict[str, object]]:
    """Return all messages, oldest first, without a last line that is still being written."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
