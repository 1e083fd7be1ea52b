"""An SMS centre that speaks SMPP 3.4 and keeps every message in a log instead of sending it to a handset.

Run as `python -m deploy.local.servers.smsc_server`. A fault script makes it misbehave for chosen
numbers (see `fault_script`).
An act here is `{"status": 88}` (refuse with that status), `{"receipt": "UNDELIV"}` (take it, report that state),
`{"silent": true}` (take it, never answer), `{"drop": true}` (take it, hang up unanswered),
`{"late_seconds": 2}`.
"""

import argparse
import asyncio
from pathlib import Path

from deploy.local.servers.fault_script import FaultScript
from deploy.local.servers.sms_log import SmsLog
from deploy.local.servers.smsc_session import SmsCentre, SmscSession


async def serve(options: argparse.Namespace) -> None:
    """Listen until the process is told to end."""
    centre = SmsCentre(
        accounts={options.system_id: options.password},
        log=SmsLog(options.log),
        script=FaultScript(options.script),
        message_number=_messages_so_far(options.log),
    )

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await SmscSession(centre, reader, writer).run()

    server = await asyncio.start_server(on_connection, options.host, options.port)
    async with server:
        await server.serve_forever()


def _messages_so_far(log: Path) -> int:
    """Count on from the last run, so that a message id is never given twice; a part has an id, a line several."""
    return log.stat().st_size if log.exists() else 0


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2775)
    parser.add_argument("--system-id", default="dondoc")
    parser.add_argument("--password", default="dondoc")
    parser.add_argument("--log", type=Path, required=True, help="file that receives one JSON line a message")
    parser.add_argument("--script", type=Path, required=True, help="file of planted faults; may be missing")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
