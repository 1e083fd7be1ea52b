"""How many forms are read at once, together and of one duty: whoever stalls holds up nobody but those with its link."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.intake.asgi import RequestRefusedError
from services.intake.core.problems import RequestProblem, Refusal
from services.intake.form import texts

FORMS_MAX = 64
"""Who comes next waits with nothing read yet, and takes no memory."""

FORMS_OF_DUTY_MAX = 4
"""A person has pressed twice, a colleague has the same mail: more are no people."""

RETRY_AFTER_SECONDS = 60


class ConcurrencyLimit:
    """ConcurrencyLimit for forms that are being read."""

    def __init__(self, together: int = FORMS_MAX, of_one_duty: int = FORMS_OF_DUTY_MAX) -> None:
        self._free = asyncio.Semaphore(together)
        self._of_one_duty = of_one_duty
        self._taken: Counter[str] = Counter()

    @asynccontextmanager
    async def hold_slot(self, duty: str) -> AsyncIterator[None]:
        """Hold a place while the form of *duty* is read, once one is free; raise `RequestRefusedError` if it holds many."""
        if self._taken[duty] >= self._of_one_duty:
            raise RequestRefusedError(_TOO_MANY)
        self._taken[duty] += 1
        try:
            async with self._free:
                yield
        finally:
            self._taken -= Counter((duty,))  # which forgets who holds none


_TOO_MANY = Refusal(problem=RequestProblem.TOO_MANY_REQUESTS, detail=texts.TOO_MANY, retry_after_seconds=RETRY_AFTER_SECONDS)
