"""An SMS centre that speaks SMPP 3.4 and writes every message to a log instead of sending it to a handset.

Run as `python -m deploy.local.servers.smsc_server`. A file of faults makes it misbehave for chosen
numbers (see `fault_script`).
A fault is `{"status": 88}` (refuse with that status), `{"receipt": "UNDELIV"}` (accept, report that state),
`{"silent": true}` (accept, never answer), `{"drop": true}` (accept, close the connection without an answer), or
`{"late_seconds": 2}` (accept, answer late).
"""

import argparse
import asyncio
from pathlib import Path

from deploy.local.servers.fault_script import FaultScript
from deploy.local.servers.sms_log import SmsLog
from deploy.local.servers.smsc_session import CentreState, SmscSession


async def serve(options: argparse.Namespace) -> None:
    """Listen until the process is stopped."""
    centre = CentreState(
        accounts={options.system_id: options.password},
        log=SmsLog(options.log),
        faults=FaultScript(options.script),
        message_number=_first_message_number(options.log),
    )

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await SmscSession(centre, reader, writer).run()

    server = await asyncio.start_server(on_connection, options.host, options.port)
    async with server:
        await server.serve_forever()


def _first_message_number(log: Path) -> int:
    """Return a number that no earlier run used: the log's size in bytes is more than the number of ids in it."""
    return log.stat().st_size if log.exists() else 0


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2775)
    parser.add_argument("--system-id", default="dondoc")
    parser.add_argument("--password", default="dondoc")
    parser.add_argument("--log", type=Path, required=True, help="file that receives one JSON line per message")
    parser.add_argument("--script", type=Path, required=True, help="file of faults to simulate; may be missing")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
