"""The mail server and the SMS centre as child processes, and access to the messages that they received."""

import json
import socket
import sys
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path

from deploy.local.process import ports
from deploy.local.process.daemon import Daemon, Program
from deploy.local.servers import sms_log
from deploy.local.servers.mailbox import Mailbox

PROBE_SECONDS = 0.5
PlannedFaults = Mapping[str, Sequence[Mapping[str, object]]]


class Smtp(Daemon):
    """A mail server on 127.0.0.1 that stores mails in *folder*/mails and shows them on a web page."""

    def __init__(self, folder: Path, *, port: int, web_port: int, options: Sequence[str] = ()) -> None:
        self.port = port
        self.web_port = web_port
        self.page = f"http://{ports.LOOPBACK}:{web_port}/"
        self.mailbox = Mailbox(folder / "mails")
        self._script = folder / "smtp-script.json"
        command = (
            *(
                sys.executable,
                "-m",
                "deploy.local.servers.smtp_server",
                "--port",
                str(port),
                "--web-port",
                str(web_port),
            ),
            *("--mailbox", str(self.mailbox.folder), "--script", str(self._script)),
            *("--sms-log", str(folder / "sms.jsonl"), *options),
        )
        super().__init__(Program(name="smtp", command=command, folder=folder, is_ready=self._listens))

    def inject_faults(self, faults: PlannedFaults) -> None:
        """Simulate *faults* for the addresses in it; see `fault_script` and `smtp_server`."""
        _write_faults(self._script, faults)

    def mails(self) -> list[EmailMessage]:
        """Return all mails received so far, in order of arrival."""
        return list(self.mailbox.mails())

    def _listens(self) -> bool:
        return _is_listening(self.port) and _is_listening(self.web_port)


class Smsc(Daemon):
    """An SMS centre on 127.0.0.1 that logs messages in *folder*/sms.jsonl; account and password are `dondoc`."""

    def __init__(self, folder: Path, *, port: int) -> None:
        self.port = port
        self.log = folder / "sms.jsonl"
        self._script = folder / "smsc-script.json"
        command = (
            *(sys.executable, "-m", "deploy.local.servers.smsc_server", "--port", str(port)),
            *("--log", str(self.log), "--script", str(self._script)),
        )
        super().__init__(Program(name="smsc", command=command, folder=folder, is_ready=self._listens))

    def inject_faults(self, faults: PlannedFaults) -> None:
        """Simulate *faults* for the numbers in it; see `fault_script` and `smsc_server`."""
        _write_faults(self._script, faults)

    def messages(self) -> list[dict[str, object]]:
        """Return all complete messages received so far, in order of arrival."""
        return sms_log.read(self.log)

    def _listens(self) -> bool:
        return _is_listening(self.port)


def _write_faults(script: Path, faults: PlannedFaults) -> None:
    fresh = script.with_suffix(".new")
    fresh.write_text(json.dumps(faults), encoding="utf-8")
    fresh.replace(script)


def _is_listening(port: int) -> bool:
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=PROBE_SECONDS):
            return True
    except OSError:
        return False
