"""The real Toxiproxy between a service and a server: what it does to their connections, and until when.

It refuses to know what travels there. A toxic harms what the server says, never what it is told, unless it says so.
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
CALL_SECONDS = 10.0  # a toxic that is taken away passes on first what it holds
MISBEHAVIOUR = "misbehaviour"  # the name of the one toxic that a proxy has at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic:
    """One kind of harm, in Toxiproxy's own words."""

    type: str
    attributes: Mapping[str, int]
    stream: str = "downstream"


def slow(milliseconds: int, *, stream: str = "downstream") -> Toxic:
    """Everything arrives that much later, nothing out of order."""
    return Toxic(type="latency", attributes={"latency": milliseconds}, stream=stream)


def cut_after(count: int) -> Toxic:
    """Each connection breaks off after so many bytes of answers, most often in the middle of one."""
    return Toxic(type="limit_data", attributes={"bytes": count})


def mute(milliseconds: int) -> Toxic:
    """No answer comes through any more, and after so long a silence the connection ends."""
    return Toxic(type="timeout", attributes={"timeout": milliseconds})


def reset() -> Toxic:
    """The first answer that should come through resets the connection instead."""
    return Toxic(type="reset_peer", attributes={"timeout": 0})


class Toxiproxy(Daemon):
    """The proxy server on 127.0.0.1, without any proxy yet."""

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
        """Pass on what comes to the port *listen_port* to the port *upstream_port*, until the block ends."""
        name = f"road-{entrance}"
        proxy = {
            "name": name,
            "listen": f"{LOOPBACK}:{listen_port}",
            "upstream": f"{LOOPBACK}:{upstream_port}",
            "enabled": True,
        }
        async with httpx.AsyncClient(base_url=self.url, timeout=CALL_SECONDS) as client:
            (await client.post("/proxies", json=proxy)).raise_for_status()
            try:
                yield Proxy(client, f"/proxies/{name}", bootstrap=f"{LOOPBACK}:{listen_port}")
            finally:
                (await client.delete(f"/proxies/{name}")).raise_for_status()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/version", timeout=PROBE_SECONDS).is_success
        except httpx.TransportError:
            return False


class Proxy:
    """The one way from a service to a server; whoever begins at *bootstrap* goes along it."""

    def __init__(self, client: httpx.AsyncClient, path: str, *, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._client = client
        self._path = path

    @asynccontextmanager
    async def with_toxic(self, toxic: Toxic) -> AsyncIterator[None]:
        """Let *toxic* work on every connection, those that stand and those to come, until the block ends."""
        planted = {
            "name": MISBEHAVIOUR,
            "type": toxic.type,
            "stream": toxic.stream,
            "attributes": dict(toxic.attributes),
        }
        (await self._client.post(f"{self._path}/toxics", json=planted)).raise_for_status()
        try:
            yield
        finally:
            (await self._client.delete(f"{self._path}/toxics/{MISBEHAVIOUR}")).raise_for_status()

    @asynccontextmanager
    async def refusing_connections(self) -> AsyncIterator[None]:
        """Break every connection and refuse new ones until the block ends."""
        (await self._client.post(self._path, json={"enabled": False})).raise_for_status()
        try:
            yield
        finally:
            (await self._client.post(self._path, json={"enabled": True})).raise_for_status()


NetworkFault = Callable[[Proxy], AbstractAsyncContextManager[None]]
"""Something that is done to a proxy for a while."""

DISCONNECTIONS: Mapping[str, NetworkFault] = {
    "cut in the middle of an answer": lambda proxy: proxy.with_toxic(cut_after(150)),
    "silent, then closed": lambda proxy: proxy.with_toxic(mute(700)),
    "reset": lambda proxy: proxy.with_toxic(reset()),
    "refused": lambda proxy: proxy.refusing_connections(),
}
"""The ways in which a connection ends that nobody wanted to end."""
