"""How many forms are read at once, together and of one duty: whoever stalls holds up nobody but those with its link."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.intake.asgi import RefusedError
from services.intake.core.problems import Problem, Refusal
from services.intake.form import texts

TOGETHER = 64
"""Who comes next waits with nothing read yet, and takes no memory."""

OF_ONE_DUTY = 4
"""A person has pressed twice, a colleague has the same mail: more are no people."""

RETRY_AFTER_SECONDS = 60


class Places:
    """Places for forms that are being read."""

    def __init__(self, together: int = TOGETHER, of_one_duty: int = OF_ONE_DUTY) -> None:
        self._free = asyncio.Semaphore(together)
        self._of_one_duty = of_one_duty
        self._taken: Counter[str] = Counter()

    @asynccontextmanager
    async def taken_by(self, duty: str) -> AsyncIterator[None]:
        """Hold a place while the form of *duty* is read, once one is free; raise `RefusedError` if it holds many."""
        if self._taken[duty] >= self._of_one_duty:
            raise RefusedError(_TOO_MANY)
        self._taken[duty] += 1
        try:
            async with self._free:
                yield
        finally:
            self._taken -= Counter((duty,))  # which forgets who holds none


_TOO_MANY = Refusal(problem=Problem.TOO_MANY_REQUESTS, detail=texts.TOO_MANY, retry_after_seconds=RETRY_AFTER_SECONDS)
