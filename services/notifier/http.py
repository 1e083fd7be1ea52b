"""What the notifier answers over HTTP besides its probes: how much is due and not sent. No alert and no address."""

import json

from services.notifier.errors import LedgerUnavailableError
from services.notifier.ledger import Ledger
from services.runtime.clock import Clock
from services.runtime.http.probes import AsgiHandler, Receive, Scope, Send, send_response

OUTBOX = "/v1/outbox"


def outbox(ledger: Ledger, clock: Clock) -> AsgiHandler:
    """Return the handler of `GET /v1/outbox`: who steers the clock moves on when nothing due is unsent or untold."""

    async def handle(_scope: Scope, _receive: Receive, send: Send) -> None:
        now = clock.now()
        try:
            backlog = await ledger.backlog(now)
        except LedgerUnavailableError:
            await send_response(send, b'{"status": 503, "title": "The ledger does not answer"}', status=503)
            return
        body = {
            "at": now.isoformat(),
            "due_unsent": backlog.due_unsent,
            "unpublished": backlog.unpublished,
            "next_send_at": backlog.next_send_at and backlog.next_send_at.isoformat(),
        }
        await send_response(send, json.dumps(body).encode())

    return handle
