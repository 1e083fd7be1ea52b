"""A route learns from each answer, and one that stands in for another is used only while that one is open."""

from datetime import UTC, datetime, timedelta

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.core.dispatch import refusals
from services.notifier.core.dispatch.circuit import CircuitPolicy
from services.notifier.core.dispatch.refusals import Phase
from services.notifier.dispatch.attempts import DeliveryRoute, RouteLimits

NOW = datetime(2026, 12, 9, tzinfo=UTC)
ACCEPTED = SendResult(outcome=AttemptOutcome.ACCEPTED)
CLOSED = SendResult.from_refusal(refusals.read_smtp_reply(Phase.CONNECT, 554), "smtp_554")
GREYLISTED = SendResult.from_refusal(refusals.read_smtp_reply(Phase.RCPT, 450, "4.7.1"), "smtp_450")


class NoCarrier:
    """A carrier that a decision about a route does not need."""

    async def send(self, message: OutgoingMessage) -> SendResult:
        """Send nothing."""
        raise AssertionError(message.id)

    async def close(self) -> None:
        """Close nothing."""


def a_route(name: str = "a") -> DeliveryRoute:
    """Return a route with a window of sixteen that nothing bounds."""
    limits = RouteLimits(window=16, concurrency=4)
    return DeliveryRoute(name, NoCarrier(), limits=limits, policy=CircuitPolicy())


def test_a_second_provider_is_used_only_while_the_first_is_open() -> None:
    """It takes over when the first refuses the connection, and hands back when a probe gets through."""
    first, second = a_route("first"), a_route("second")
    second.stand_in_for([first])
    assert (first.count_free(NOW, 0), first.is_preferred, second.is_preferred) == (16, True, False)
    first.learn("a@x.example", CLOSED, NOW)
    assert (first.count_free(NOW, 0), second.count_free(NOW, 0), second.is_preferred) == (0, 16, True)
    later = NOW + timedelta(minutes=1)
    assert first.count_free(later, 0) == 1
    first.learn("a@x.example", ACCEPTED, later)
    assert (first.count_free(later, 0), second.is_preferred) == (16, False)


def test_what_was_begun_before_a_route_opened_is_taken_back() -> None:
    """The epoch tells the dispatcher that what waits for a connection is not to be sent."""
    route = a_route()
    before = route.epoch
    route.learn("a@x.example", ACCEPTED, NOW)
    assert route.epoch == before
    route.learn("a@x.example", CLOSED, NOW)
    assert route.epoch != before


def test_a_busy_domain_slows_its_own_recipients_alone() -> None:
    """After two refusals in a row at RCPT the domain waits; another domain, and the route, do not."""
    route = a_route()
    for _ in range(2):
        route.learn("a@busy.example", GREYLISTED, NOW)
    assert route.find_paused(["b@busy.example", "c@other.example"], NOW) == {0}
    assert route.count_free(NOW, 0) == 16


def test_two_busy_domains_in_a_row_are_the_relay() -> None:
    """A relay that limits us says so to every recipient."""
    route = a_route()
    for domain in ("x.example", "y.example", "z.example"):
        route.learn(f"a@{domain}", GREYLISTED, NOW)
    assert route.count_free(NOW, 0) == 0
