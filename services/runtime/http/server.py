"""Run an ASGI application on uvicorn until SIGTERM, Ctrl-C or the application itself stops it gracefully."""

import asyncio
import logging
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import uvicorn

from services.runtime.http.admin import AdminApp
from services.runtime.http.connection import HttpConnection

GRACE_SECONDS = 10  # for requests in progress; then they are cancelled and their connections closed
BACKLOG = 4096  # in the burst before a due instant connections wait in the listen queue instead of being refused

log = logging.getLogger(__name__)


class Halt:
    """Stops the process as failed, so that its supervisor starts it again. Call it only where a consumer fails."""

    def __init__(self) -> None:
        self.is_requested = False

    def __call__(self) -> None:
        self.is_requested = True
        signal.raise_signal(signal.SIGTERM)


class TwoPortServer(uvicorn.Server):
    """A uvicorn server that serves another application, without a lifespan of its own, on a second port."""

    def __init__(self, config: uvicorn.Config, admin_config: uvicorn.Config, admin_listener: socket.socket) -> None:
        super().__init__(config)
        self._admin_config = admin_config
        self._admin_listener = admin_listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open both ports. They share the state of this server, so both are closed, and waited for, together."""
        await super().startup(sockets)
        self._admin_config.load()
        loop = asyncio.get_running_loop()

        def create_connection() -> HttpConnection:
            return HttpConnection(self._admin_config, self.server_state, {}, loop)

        self.servers.append(await loop.create_server(create_connection, sock=self._admin_listener, backlog=BACKLOG))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The certificate chain and the private key of a TLS port, as PEM files."""

    certificate: Path
    key: Path


def listen(host: str, port: int, *, share_port: bool) -> socket.socket:
    """Return a socket bound to *host* and *port*; with *share_port* other processes may bind the same port.

    Linux gives each connection to one of the sockets that share a port (SO_REUSEPORT). A shared port is not held by
    the first process alone, so nothing but the operator keeps a stranger of the same user from joining it.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if share_port:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as cause:
        log.error("the port cannot be used", extra={"action": "port_taken", "port": port, "error": str(cause)})  # noqa: TRY400 - the reason is in the line
        sys.exit(1)
    return listener


def run(
    app: Any,  # noqa: ANN401 - any ASGI application
    listener: socket.socket,
    *,
    halt: Halt,
    admin: AdminApp | None = None,
    tls: Tls | None = None,
) -> None:
    """Serve *app* on *listener* until a signal; exit with status 1 if it could not start or *halt* was called.

    *admin* is served too, if it has a port of its own: on the address of *listener*, and without TLS, because it is not
    for the outside.
    """
    config = _configure(
        app,
        lifespan="on",
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )
    server = uvicorn.Server(config)
    if admin is not None and admin.port is not None:
        admin_listener = listen(listener.getsockname()[0], admin.port, share_port=False)
        server = TwoPortServer(config, _configure(admin, lifespan="off"), admin_listener)

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn replaces these handlers while it serves and raises the signal again afterwards, which would end the
    # process with an error although the stop was intended.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.run(sockets=[listener])
    log.info("the service has stopped", extra={"action": "stopped"})
    if not server.started or halt.is_requested:
        sys.exit(1)


def _configure(app: Any, *, lifespan: Literal["on", "off"], **options: Any) -> uvicorn.Config:  # noqa: ANN401 - any ASGI application, and options of uvicorn
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpConnection,
        ws="none",
        lifespan=lifespan,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **options,
    )
