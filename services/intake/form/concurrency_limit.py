"""Limits how many forms are read at the same time, in total and for one duty.

A form is read over minutes on a slow line. Because of the limit for one duty, a client that stalls holds up only the
holders of the same link.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.intake.asgi import RequestRefusedError
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.form import texts

# Forms that are read at a time. The next one waits with nothing of it read, so that it takes no memory.
FORMS_MAX = 64

# Forms of one duty at a time: a person pressed twice and a colleague has the same mail. More are not people.
FORMS_OF_DUTY_MAX = 4

RETRY_AFTER_SECONDS = 60


class ConcurrencyLimit:
    """The slots in which forms are read."""

    def __init__(self, total: int = FORMS_MAX, of_one_duty: int = FORMS_OF_DUTY_MAX) -> None:
        self._free = asyncio.Semaphore(total)
        self._of_one_duty = of_one_duty
        self._held: Counter[str] = Counter()

    @asynccontextmanager
    async def hold_slot(self, duty: str) -> AsyncIterator[None]:
        """Hold a slot while the form of *duty* is read, after waiting for a free one.

        Raises `RequestRefusedError` (429) if the duty has too many slots already, those it waits for included.
        """
        if self._held[duty] >= self._of_one_duty:
            raise RequestRefusedError(_TOO_MANY)
        self._held[duty] += 1
        try:
            async with self._free:
                yield
        finally:
            self._held -= Counter((duty,))  # subtracting a Counter also drops the entries that reach zero


_TOO_MANY = Refusal(
    problem=RequestProblem.TOO_MANY_REQUESTS, detail=texts.TOO_MANY, retry_after_seconds=RETRY_AFTER_SECONDS
)
