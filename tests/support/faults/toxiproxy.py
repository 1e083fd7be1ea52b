"""The real Toxiproxy between a service and a server: it slows, cuts and resets their connections for a test.

It does not know which protocol the connections carry. A toxic changes what the server sends (Toxiproxy's `downstream`)
unless its `stream` is `upstream`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.errors import ProgramMissingError
from deploy.local.process.daemon import Daemon, Program
from deploy.local.process.ports import LOOPBACK

PROBE_SECONDS = 0.5
CALL_SECONDS = 10.0  # removing a toxic returns only after the bytes that it held back were passed on
TOXIC_NAME = "test-fault"  # a proxy has at most one toxic at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic:
    """One toxic, with the names of Toxiproxy's HTTP API."""

    type: str
    attributes: Mapping[str, int]
    stream: str = "downstream"


def slow(milliseconds: int, *, stream: str = "downstream") -> Toxic:
    """Delay everything by *milliseconds* and keep its order."""
    return Toxic(type="latency", attributes={"latency": milliseconds}, stream=stream)


def cut_after(count: int) -> Toxic:
    """Close each connection after *count* bytes of answers, which is usually in the middle of one."""
    return Toxic(type="limit_data", attributes={"bytes": count})


def mute(milliseconds: int) -> Toxic:
    """Hold back every answer and close the connection after *milliseconds*."""
    return Toxic(type="timeout", attributes={"timeout": milliseconds})


def reset() -> Toxic:
    """Reset the connection (TCP RST) in place of the first answer."""
    return Toxic(type="reset_peer", attributes={"timeout": 0})


class Toxiproxy(Daemon):
    """The Toxiproxy server on 127.0.0.1; `proxy` adds a proxied port to it."""

    def __init__(self, folder: Path, *, binary: Path, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self._binary = binary
        command = (str(binary), "-host", LOOPBACK, "-port", str(port))
        super().__init__(Program(name="toxiproxy", command=command, folder=folder, is_ready=self._answers))

    def launch(self) -> None:
        if not self._binary.exists():
            raise ProgramMissingError(f"no Toxiproxy in {self._binary.parent}; `make chaos` builds it")
        super().launch()

    @asynccontextmanager
    async def proxy(self, *, listen_port: int, upstream_port: int) -> AsyncIterator["Proxy"]:
        """Forward connections to *listen_port* on to *upstream_port* until the block ends."""
        name = f"proxy-{listen_port}"
        listen, upstream = f"{LOOPBACK}:{listen_port}", f"{LOOPBACK}:{upstream_port}"
        proxy = {"name": name, "listen": listen, "upstream": upstream, "enabled": True}
        async with httpx.AsyncClient(base_url=self.url, timeout=CALL_SECONDS) as client:
            (await client.post("/proxies", json=proxy)).raise_for_status()
            try:
                yield Proxy(client, f"/proxies/{name}", bootstrap=listen)
            finally:
                (await client.delete(f"/proxies/{name}")).raise_for_status()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/version", timeout=PROBE_SECONDS).is_success
        except httpx.TransportError:
            return False


class Proxy:
    """One proxied port. A client whose first address is *bootstrap* connects through it."""

    def __init__(self, client: httpx.AsyncClient, path: str, *, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._client = client
        self._path = path

    @asynccontextmanager
    async def with_toxic(self, toxic: Toxic) -> AsyncIterator[None]:
        """Apply *toxic* to every connection, open or new, until the block ends."""
        body = {
            "name": TOXIC_NAME,
            "type": toxic.type,
            "stream": toxic.stream,
            "attributes": dict(toxic.attributes),
        }
        (await self._client.post(f"{self._path}/toxics", json=body)).raise_for_status()
        try:
            yield
        finally:
            (await self._client.delete(f"{self._path}/toxics/{TOXIC_NAME}")).raise_for_status()

    @asynccontextmanager
    async def refusing_connections(self) -> AsyncIterator[None]:
        """Close every connection and refuse new ones until the block ends."""
        (await self._client.post(self._path, json={"enabled": False})).raise_for_status()
        try:
            yield
        finally:
            (await self._client.post(self._path, json={"enabled": True})).raise_for_status()


# A fault that is applied to a proxy until the block ends.
NetworkFault = Callable[[Proxy], AbstractAsyncContextManager[None]]

# The ways in which a connection ends unexpectedly, by name.
DISCONNECTIONS: Mapping[str, NetworkFault] = {
    "cut in the middle of an answer": lambda proxy: proxy.with_toxic(cut_after(150)),
    "silent, then closed": lambda proxy: proxy.with_toxic(mute(700)),
    "reset": lambda proxy: proxy.with_toxic(reset()),
    "refused": lambda proxy: proxy.refusing_connections(),
}
