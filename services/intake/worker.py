"""`python -m services.intake.worker FD PORT`: one worker, serving on PORT until its main process ends.

It inherits FD, its end of a socket pair. Whoever holds the other end is the main process; when that is gone, the worker
ends too, and clients reconnect to the next one.
"""

import socket
import sys

from services.intake.app import build_worker_app
from services.intake.settings import IntakeSettings
from services.intake.workers.log_client import LogClient
from services.runtime import bootstrap
from services.runtime.http import server
from services.runtime.http.server import Halt


def main() -> None:
    """Read the settings, configure the logs, serve."""
    bootstrap.relax_garbage_collection()
    settings = bootstrap.initialise("intake", IntakeSettings)
    descriptor, port = map(int, sys.argv[1:])
    end = socket.socket(fileno=descriptor)

    async def connect(client: LogClient) -> None:
        await client.connect(end)

    halt = Halt()
    listener = server.listen(settings.host, port, share_port=True)
    # Without an admin port: that is the main process's.
    server.run(build_worker_app(settings, halt, connect), listener, halt=halt, tls=settings.tls)


if __name__ == "__main__":
    main()
