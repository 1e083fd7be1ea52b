"""What reporting answers of duties, over HTTP, at one instant asked about and one instant of knowledge."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

from services.console.support import reporting_client

PAGE_DUTIES = 1_000  # the most that reporting gives in one page
ONE_OFF = "none"  # how reporting's query names the period of duties without one
REQUEST_SECONDS = 300.0  # the count of an obligation takes reporting seconds where it has ten thousand duties
CONNECTIONS = 8

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodQuery:
    """The duties of a plan in some periods, as of one instant and as known at the same instant."""

    plan: str
    periods: tuple[str | None, ...]
    as_of: datetime

    def parameters(self) -> dict[str, str]:
        """Return the query parameters that select them."""
        instant = self.as_of.isoformat()
        names = ",".join(ONE_OFF if period is None else period for period in self.periods)
        return {"plan": self.plan, "period": names, "as_of": instant, "known_at": instant, "lang": "vi"}


class LiveDuties:
    """Pages through reporting's list of duties; raises `UnusableInputError` where reporting does not answer it."""

    def __init__(self, url: str) -> None:
        self._url = url
        limits = httpx.Limits(max_connections=CONNECTIONS)
        self._client = httpx.AsyncClient(
            base_url=url, timeout=REQUEST_SECONDS, limits=limits, headers=dict(reporting_client.build_headers(url))
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def of_agency(self, query: PeriodQuery, agency: str) -> list[JsonObject]:
        """Return the duties of one agency."""
        return [duty async for duty in self._pages({**query.parameters(), "agency": agency})]

    def of_obligation(self, query: PeriodQuery, obligation: str) -> AsyncIterator[JsonObject]:
        """Yield the duties that lie on anybody by one obligation."""
        return self._pages({**query.parameters(), "obligation": obligation})

    async def count_of_obligation(self, query: PeriodQuery, obligation: str) -> int:
        """Return how many duties there are by one obligation."""
        page = await self._get({**query.parameters(), "obligation": obligation, "limit": "1"})
        return int(page["total"])

    async def _pages(self, parameters: dict[str, str]) -> AsyncIterator[JsonObject]:
        cursor: str | None = None
        while True:
            after = {} if cursor is None else {"cursor": cursor}
            page = await self._get({**parameters, **after, "limit": str(PAGE_DUTIES)})
            for duty in page["duties"]:
                yield duty
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def _get(self, parameters: dict[str, str]) -> JsonObject:
        try:
            answer = await self._client.get("/v1/duties", params=parameters)
        except (httpx.TransportError, httpx.InvalidURL) as cause:
            raise reporting_client.describe_silence(self._url, cause) from cause
        found: JsonObject = reporting_client.require_success(answer).json()
        return found
