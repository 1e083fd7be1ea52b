"""Karapace's REST proxy as the peer that intake is compared with, where this machine has one.

`BENCH_KARAPACE` is the command that starts it. It is set up like intake: every record acknowledged by all in-sync
replicas, no waiting for more. It checks no event, knows no key and gives no receipt.
"""

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from deploy.local.process.daemon import Daemon, Program
from deploy.local.process.ports import LOOPBACK, free_ports

COMMAND = shlex.split(os.environ.get("BENCH_KARAPACE", ""))
MEDIA_TYPE = "application/vnd.kafka.json.v2+json"


class Karapace(Daemon):
    """The peer on a free port of this machine, in front of *bootstrap*."""

    def __init__(self, folder: Path, bootstrap: str) -> None:
        self.port = free_ports(1)[0]
        environment = {
            "KARAPACE_BOOTSTRAP_URI": bootstrap,
            "KARAPACE_HOST": LOOPBACK,
            "KARAPACE_PORT": str(self.port),
            "KARAPACE_KARAPACE_REST": "true",
            "KARAPACE_PRODUCER_ACKS": "all",
            "KARAPACE_PRODUCER_LINGER_MS": "0",
            "KARAPACE_LOG_LEVEL": "WARNING",
        }
        program = Program(
            name="karapace", command=tuple(COMMAND), folder=folder, is_ready=self._answers, environment=environment
        )
        super().__init__(program)

    def request(self, topic: str, records: Sequence[tuple[str, bytes]]) -> bytes:
        """Return the post that produces *records*, keys and JSON values, to *topic*."""
        written = b",".join(b'{"key":%s,"value":%s}' % (json.dumps(key).encode(), value) for key, value in records)
        body = b'{"records":[' + written + b"]}"
        head = f"POST /topics/{topic} HTTP/1.1\r\nhost: x\r\ncontent-type: {MEDIA_TYPE}\r\n"
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://{LOOPBACK}:{self.port}/_health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
