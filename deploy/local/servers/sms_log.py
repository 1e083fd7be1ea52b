"""SMS on disk: one JSON line a whole message, in order of arrival. Puts parts together; knows no protocol."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.servers.smpp_pdu import SubmitSm
from deploy.local.servers.sms_text import ReceivedSmsPart, decode, encoding_name


@dataclass(slots=True, kw_only=True)
class PendingMessage:
    """The parts of one message that have come so far, by number."""

    parts: dict[int, bytes] = field(default_factory=dict)
    message_ids: dict[int, str] = field(default_factory=dict)


class SmsLog:
    """Appends to one file; parts of a message that never completes are never shown, as on a handset."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._pending: dict[tuple[str, str, int, int], PendingMessage] = {}

    def take(self, submission: SubmitSm, part: ReceivedSmsPart, message_id: str) -> None:
        """Add one part, and write the message if it is whole now."""
        key = (submission.source, submission.destination, part.reference, part.total)
        pending = self._pending.setdefault(key, PendingMessage())
        pending.parts[part.number] = part.content
        pending.message_ids[part.number] = message_id
        if len(pending.parts) < part.total:
            return
        del self._pending[key]
        self._write(submission, pending)

    def _write(self, submission: SubmitSm, whole: PendingMessage) -> None:
        numbers = sorted(whole.parts)
        line = {
            "message_ids": [whole.message_ids[number] for number in numbers],
            "from": submission.source,
            "to": submission.destination,
            "encoding": encoding_name(submission.data_coding),
            "parts": len(numbers),
            "text": decode(b"".join(whole.parts[number] for number in numbers), submission.data_coding),
        }
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(path: Path) -> list[dict[str, object]]:
    """Read all messages, oldest first; a line still being written is left for the next time."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
