"""The page behind "Đã nhận": what it records, and what it does not."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from schemas.events.acknowledge_links import AcknowledgeLink, AcknowledgeLinkKey
from services.notifier.errors import LedgerUnavailableError
from services.notifier.feedback.acknowledge_page import FURTHEST_DAY, AcknowledgePage
from services.notifier.feedback.acknowledgement_store import Acknowledgement

NOW = datetime(2024, 12, 11, 2, tzinfo=UTC)
TODAY = date(2024, 12, 11)
KEY = AcknowledgeLinkKey("a secret of the form that is long enough")
LINK = AcknowledgeLink(delivery="ab" * 20, agency="h-tho-xuan", expires_at=NOW + timedelta(days=9))


class StoppedClock:
    """A clock that stands at NOW."""

    def now(self) -> datetime:
        return NOW


async def ask(
    said: list[Acknowledgement], *, method: str = "GET", form: Mapping[str, str] | None = None, token: str | None = None
) -> tuple[int, str]:
    """Ask for the page with a link; return status and text. What it records is put into *said*."""

    async def record(one: Acknowledgement) -> bool:
        said.append(one)
        return True

    return await answer(AcknowledgePage(KEY, record, clock=StoppedClock()), method=method, form=form, token=token)


async def answer(
    page: AcknowledgePage, *, method: str, form: Mapping[str, str] | None = None, token: str | None = None
) -> tuple[int, str]:
    """Let *page* answer one request."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": urlencode(form or {}).encode(), "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    query = urlencode({"t": KEY.sign_link(LINK) if token is None else token}).encode()
    await page({"type": "http", "method": method, "query_string": query, "headers": []}, receive, send)  # type: ignore[arg-type]
    return sent[0]["status"], sent[1]["body"].decode()


async def test_opening_the_page_records_nothing() -> None:
    """Programs that look through mails open links; only the button is an answer."""
    said: list[Acknowledgement] = []
    status, page = await ask(said)
    assert (status, said) == (200, [])
    assert 'min="2024-12-11" max="2025-01-10"' in page
    assert "Ngày hẹn không thay đổi thời hạn gửi báo cáo." in page


@pytest.mark.parametrize(
    ("written", "promised_on"), [("", None), ("2024-12-16", date(2024, 12, 16)), ("2024-12-11", TODAY)]
)
async def test_the_button_records_that_it_was_read_and_the_day(written: str, promised_on: date | None) -> None:
    """A day is optional; today and the furthest day are allowed."""
    said: list[Acknowledgement] = []
    status, page = await ask(said, method="POST", form={"promised_on": written})
    assert (status, said) == (
        200,
        [Acknowledgement(delivery=LINK.delivery, agency=LINK.agency, promised_on=promised_on)],
    )
    assert "Đã ghi nhận" in page


@pytest.mark.parametrize(
    "written", ["2024-12-10", (TODAY + FURTHEST_DAY + timedelta(days=1)).isoformat(), "mai", "2024-13-01"]
)
async def test_a_day_that_is_past_too_far_or_none_is_refused(written: str) -> None:
    """The page says between which days it must lie, and records nothing."""
    said: list[Acknowledgement] = []
    status, page = await ask(said, method="POST", form={"promised_on": written})
    assert (status, said) == (422, [])
    assert "10/01/2025" in page


async def test_a_link_that_is_not_ours_or_has_expired_opens_nothing() -> None:
    """A changed token, one that has expired, and no token at all are answered alike."""
    expired = KEY.sign_link(AcknowledgeLink(delivery="ab", agency="h-tho-xuan", expires_at=NOW))
    for token in ("", "x", expired, KEY.sign_link(LINK)[:-3]):
        said: list[Acknowledgement] = []
        status, _ = await ask(said, method="POST", token=token)
        assert (status, said) == (404, [])


async def test_a_database_that_is_away_is_said() -> None:
    """The agency is asked to try again."""

    async def fail(one: Acknowledgement) -> bool:
        raise LedgerUnavailableError(one.agency)

    status, page = await answer(AcknowledgePage(KEY, fail, clock=StoppedClock()), method="POST")
    assert status == 503
    assert "thử lại" in page
