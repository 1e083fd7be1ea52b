"""A gateway's report is believed with its secret only, and means what the expressions of its route say."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels import http_gateway
from services.notifier.core.dispatch.receipts import DeliveryReceipt
from services.notifier.dispatch import route_file
from services.notifier.errors import LedgerUnavailableError
from services.notifier.feedback.receipt_webhook import VARIABLES, ReceiptGateway, ReceiptWebhook
from services.notifier.settings import NotifierSettings

# The example of their page, for a message that arrived; `{}` is the status and how many arrived.
ESMS = "SMSID=dc712784-9c5f&SendFailed=0&SendStatus={}&SendSuccess={}&TotalReceiver=1&phonenumber=0901888484"
CONFIRMED, BOUNCED = AttemptOutcome.CONFIRMED, AttemptOutcome.BOUNCED


class Ledger:
    """Keeps receipts, or is away."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.kept: list[DeliveryReceipt] = []
        self._is_away = is_away

    async def keep(self, receipt: DeliveryReceipt) -> None:
        """Keep one."""
        if self._is_away:
            raise LedgerUnavailableError("away")
        self.kept.append(receipt)


def a_gateway(preset: str, *, header: str | None = None) -> ReceiptGateway:
    """Return how the gateway of a preset reports, with `geheim` as its secret."""
    entries = route_file.load_routes(NotifierSettings(routes=Path("deploy/routes") / f"{preset}.yaml")).routes
    reports = next(one.http.receipts for one in entries if one.http and one.http.receipts)
    compiled = {
        name: http_gateway.compile_expression(getattr(reports, name), VARIABLES) for name in reports.EXPRESSIONS
    }
    return ReceiptGateway(secret="geheim", header=header, **compiled)


def report(
    gateway: ReceiptGateway,
    query: str,
    *,
    body: Any = None,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    away: bool = False,
) -> tuple[int, list[DeliveryReceipt]]:
    """Let a gateway report, and return the status of the answer with what was kept."""
    ledger = Ledger(is_away=away)
    webhook = ReceiptWebhook({"gateway": gateway}, ledger.keep)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "method": "GET" if body is None else "POST",
        "query_string": query.encode(),
        "headers": [(b"content-type", b"application/json"), *headers],
    }
    asyncio.run(webhook(scope, receive, send))
    assert b"0901888484" not in sent[1]["body"]
    return sent[0]["status"], ledger.kept


@pytest.mark.parametrize(
    ("status", "arrived", "outcome"),
    [("5", "1", CONFIRMED), ("5", "0", BOUNCED), ("4", "0", BOUNCED), ("7", "0", None)],
)
def test_esms_reports_in_the_query(status: str, arrived: str, outcome: AttemptOutcome | None) -> None:
    """As in the examples of their page; what is on its way is no outcome."""
    answer, (kept,) = report(a_gateway("esms"), f"route=gateway&key=geheim&{ESMS.format(status, arrived)}")
    assert (answer, kept.ids, kept.outcome, kept.is_hard) == (200, ("gateway:dc712784-9c5f",), outcome, False)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("route=gateway&key=falsch", 401),
        ("route=gateway", 401),
        ("route=other&key=geheim", 404),
        ("", 404),
        ("route=gateway&key=geheim", 422),
    ],
)
def test_a_report_without_the_secret_or_a_name_is_refused(query: str, expected: int) -> None:
    """Anybody can reach the port; nothing is kept, and no answer repeats what was sent."""
    assert report(a_gateway("esms"), f"{query}&phonenumber=0901888484") == (expected, [])


def test_a_gateway_may_show_its_secret_in_a_header() -> None:
    """Then the one in the query counts nothing."""
    gateway, query = a_gateway("esms", header="X-Validate-Key"), f"route=gateway&{ESMS.format('5', '1')}"
    assert report(gateway, query, headers=((b"x-validate-key", b"geheim"),))[0] == 200
    assert report(gateway, f"{query}&key=geheim")[0] == 401


def test_a_gateway_is_asked_to_come_again_while_the_database_is_away() -> None:
    """503, so that the report is not lost."""
    query = f"route=gateway&key=geheim&{ESMS.format('5', '1')}"
    assert report(a_gateway("esms"), query, away=True) == (503, [])
