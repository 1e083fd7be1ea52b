"""Run an ASGI application on uvicorn until SIGTERM, Ctrl-C or the application itself stops it gracefully."""

import logging
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from services.runtime.http.connection import HttpConnection

GRACE_SECONDS = 20  # for batches and requests in progress; then connections are closed
BACKLOG = 4096  # in the burst before a due instant connections wait in the listen queue instead of being refused

log = logging.getLogger(__name__)


class Halt:
    """Stops the process as failed, so that its supervisor starts it again. Call it only where a consumer fails."""

    def __init__(self) -> None:
        self.is_requested = False

    def __call__(self) -> None:
        self.is_requested = True
        signal.raise_signal(signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The certificate chain and the private key of a TLS port, as PEM files."""

    certificate: Path
    key: Path


def run(app: Any, *, host: str, port: int, halt: Halt | None = None, tls: Tls | None = None) -> None:  # noqa: ANN401 - any ASGI application
    """Serve *app* until a signal; exit with status 1 if it could not start or *halt* was called."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http=HttpConnection,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_certfile=None if tls is None else tls.certificate,
            ssl_keyfile=None if tls is None else tls.key,
        )
    )

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn replaces these handlers while it serves and raises the signal again afterwards, which would end the
    # process with an error although the stop was intended.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.run()
    log.info("the service has stopped", extra={"action": "stopped"})
    if not server.started or (halt is not None and halt.is_requested):
        sys.exit(1)
