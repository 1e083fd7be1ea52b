"""A broker with a plan; a server in the event loop of the test, with the connections under test and short timeouts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from services.runtime.http import connection
from services.runtime.http.connection import HttpConnection
from tests.support.clients.http_connections import TIMEOUT_SECONDS, UNREAD_TIMEOUT_SECONDS, Open, app
from tests.support.servers.intake import publish_plan
from tests.support.servers.kafka import Bus


@pytest.fixture
async def published(bus: Bus) -> Bus:
    """The broker with a plan and its registry."""
    await publish_plan(bus)
    return bus


@pytest.fixture
async def open_one(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Return a function that opens a connection to a server with short timeouts."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", TIMEOUT_SECONDS)
    monkeypatch.setattr(connection, "UNREAD_SECONDS", UNREAD_TIMEOUT_SECONDS)
    config = Config(app, log_config=None, access_log=False, ws="none", timeout_keep_alive=5)
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HttpConnection(config, ServerState(), {}, loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    writers = []

    async def open_one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024 * 1024)
        writers.append(writer)
        return reader, writer

    yield open_one
    for writer in writers:
        writer.close()
    server.close()
