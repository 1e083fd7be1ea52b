"""A delivery report that comes before its attempt is recorded is applied, also where the process dies in between."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
from ruamel.yaml import YAML

from schemas.events.deliveries import AttemptOutcome, Channel
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.clients.notifier import DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.faults import fault_plan
from tests.support.faults.await_points import AwaitPoint
from tests.support.servers.services import Service

SECRET = "geheim"
NUMBER = "+84912345678"
# The attempt is recorded; its receipt has not been looked for.
RECORDED = AwaitPoint(module="services.notifier.dispatch.dispatcher", function="Dispatcher._record", number=1)


class HastyGateway:
    """A provider that reports that the phone has the SMS before it answers the request to send it."""

    def __init__(self) -> None:
        self.notifier: Service | None = None
        self.reported: list[int] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Report first, and answer afterwards."""
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            assert self.notifier is not None
            async with httpx.AsyncClient(timeout=10) as client:
                where = f"{self.notifier.url}/v1/receipts"
                answer = await client.post(where, params={"route": "esms", "key": SECRET}, json={"id": "s-1"})
            self.reported.append(answer.status_code)
            body = '{"id": "s-1"}'
            writer.write(f"HTTP/1.1 200 x\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode())
            await writer.drain()
        writer.close()


def write_routes(folder: Path, port: int) -> Path:
    """Write a file of routes with the provider at *port* alone."""
    secret = folder / "secret"
    secret.write_text(SECRET)
    receipts = {"secret_file": str(secret), "message_id": "body.id", "confirmed": "true", "failed": "false"}
    gateway = {
        "url": f"http://127.0.0.1:{port}/send", "body": {"to": "{to}", "text": "{text}"}, "success": "status == 200",
        "message_id": "body.id", "sender": "NHCSXH", "receipts": receipts,
    }  # fmt: skip
    path = folder / "routes.yaml"
    YAML().dump({"routes": [{"name": "esms", "channel": "sms", "http": gateway}]}, path)
    return path


async def test_a_receipt_that_came_first_is_applied_after_a_kill_before_it_was_looked_for(
    notifier: NotifierClient, start: Start, tmp_path: Path
) -> None:
    """The provider reports once; the next process applies the report a lease later, and sends nothing again."""
    gateway = HastyGateway()
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    routes = {"DONDOC_NOTIFIER_ROUTES": str(write_routes(tmp_path, server.sockets[0].getsockname()[1]))}
    await notifier.publish_documents()
    await notifier.load_contacts(a_contact(channel=Channel.SMS, address=NUMBER))
    notifier.set_clock(DUE - timedelta(days=6, hours=12))
    try:
        dying = gateway.notifier = start(faults=[fault_plan.kill_after_await(RECORDED)], **routes)
        await notifier.publish_assessments(an_assessment(a_step(7)))
        await dying.wait_until_ended()
        recorded = notifier.database["deliveries"].find_one({}) or {}
        assert (recorded["state"], recorded["provider_ids"]) == ("accepted", ["esms:s-1"])
        start(**routes)
        await eventually(lambda: _read_state(notifier) == AttemptOutcome.CONFIRMED, "the receipt applied")
        await eventually(lambda: not _count_waiting(notifier), "no receipt waits")
    finally:
        server.close()
    assert gateway.reported == [200]


def _read_state(notifier: NotifierClient) -> str:
    return str((notifier.database["deliveries"].find_one({}) or {})["state"])


def _count_waiting(notifier: NotifierClient) -> int:
    return notifier.database["receipts"].count_documents({"came_at": {"$exists": True}})
