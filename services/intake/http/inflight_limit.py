"""How much room requests may take up together, so that a flood meets a 503 and not the end of the process."""

from services.intake.asgi import Request, RequestRefusedError
from services.intake.core.problems import Refusal, RequestProblem, Said
from services.intake.metrics import IntakeMetrics

RETRY_AFTER_SECONDS = 1


class Room:
    """Counts the bytes of the requests that are being worked on."""

    def __init__(self, bytes_max: int, metrics: IntakeMetrics) -> None:
        self._bytes_max = bytes_max
        self._taken = 0
        metrics.bodies.set_function(lambda: self._taken)

    def take(self, request: Request, limit: int) -> int:
        """Take room for the body of *request*: what it announces, or else all it may have. It must be given back."""
        announced = request.content_length
        wanted = limit if announced is None else min(announced, limit)
        if self._taken + wanted > self._bytes_max:
            raise RequestRefusedError(_FULL)
        self._taken += wanted
        return wanted

    def give_back(self, taken: int) -> None:
        """End what `take` began."""
        self._taken -= taken


_FULL = Refusal(
    problem=RequestProblem.UNAVAILABLE,
    detail=Said(
        en="too many requests are being worked on; try again shortly",
        vi="đang xử lý quá nhiều yêu cầu; hãy thử lại sau giây lát",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)
