"""A route is used as fast as its server takes messages, and no faster."""

import heapq
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.core.dispatch import circuit, refusals
from services.notifier.core.dispatch.circuit import Circuit, CircuitPolicy
from services.notifier.core.dispatch.pacing import Pace
from services.notifier.core.dispatch.refusals import Phase
from services.notifier.core.scheduling import retry
from services.notifier.core.scheduling.retry import EndedAttempt, RetryPolicy

START = datetime(2026, 12, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW, CONNECTIONS = 16, 4
MAILS = 10_000


@dataclass
class Relay:
    """A relay that takes so many mails in any minute, answers 450 to the others, and is closed until an instant."""

    per_minute: int
    opens_at: datetime = START
    taken: deque[datetime] = field(default_factory=deque)

    def answer(self, now: datetime) -> refusals.DeliveryRefusal | None:
        """Take a mail at *now*, or return the refusal."""
        if now < self.opens_at:
            return refusals.read_smtp_reply(Phase.CONNECT, 554)
        while self.taken and now - self.taken[0] >= MINUTE:
            self.taken.popleft()
        if len(self.taken) >= self.per_minute:
            return refusals.read_smtp_reply(Phase.MAIL, 450, "4.7.1")
        self.taken.append(now)
        return None


@dataclass
class Night:
    """What sending through a relay came to."""

    attempts: int = 0
    given_up: int = 0
    minutes: float = 0.0


def back_off(refusal: refusals.DeliveryRefusal, *, attempt: int) -> timedelta | None:
    """Return how long a refused mail waits; None: it is given up."""
    ended = EndedAttempt(
        outcome=refusal.outcome, channel=Channel.EMAIL, attempt=attempt, spent=0, is_spent=refusal.spends_attempt
    )
    return retry.backoff_after(RetryPolicy(), ended, jitter=0.5)


def send_all(relay: Relay, *, mails: int = MAILS, step: timedelta = timedelta(seconds=3)) -> Night:
    """Send *mails* through *relay* as a dispatcher does, on a clock that goes on by *step*."""
    night, now = Night(), START
    pace, breaker, breaks = Pace(), Circuit(), CircuitPolicy()
    due = [(START, number) for number in range(mails)]
    numbers = [0] * mails
    while due:
        free = pace.count_free(now, WINDOW) if breaker.is_closed else int(breaker.allows_probe(now))
        chosen = [heapq.heappop(due)[1] for _ in range(free) if due and due[0][0] <= now]
        if not chosen:
            now += step
            continue
        pace.take(len(chosen), now)
        on_the_wire = len(chosen)
        for place, number in enumerate(chosen):
            if place >= on_the_wire:
                heapq.heappush(due, (now, number))  # begun, and taken back when the relay refused another
                continue
            night.attempts += 1
            numbers[number] += 1
            refusal = relay.answer(now)
            if refusal is None:
                pace.record_accepted(now)
                breaker = circuit.record_success(breaker)
                continue
            on_the_wire = min(on_the_wire, place + CONNECTIONS)
            if refusal.fault is refusals.RefusalFault.BUSY:
                pace.slow_down(now)
            breaker = circuit.record_failure(breaker, refusal, breaks, now)
            backoff = back_off(refusal, attempt=numbers[number])
            if backoff is None:
                night.given_up += 1
            else:
                heapq.heappush(due, (now + backoff, number))
    night.minutes = (now - START) / MINUTE
    return night


@pytest.mark.parametrize("seconds", [1, 3, 12, 60])
def test_ten_thousand_mails_through_a_relay_of_20_a_minute(seconds: int) -> None:
    """Each takes less than 1.02 attempts, none is given up, and the relay is kept busy: its limit is remembered."""
    night = send_all(Relay(per_minute=20), step=timedelta(seconds=seconds))
    assert (night.given_up, night.attempts < MAILS * 1.02) == (0, True), night
    assert night.minutes < MAILS / 20 * 1.5


def test_a_relay_that_is_closed_and_mended_costs_a_few_probes() -> None:
    """Ten thousand mails meet a relay that refuses every connection for an hour, and then takes 600 a minute."""
    night = send_all(Relay(per_minute=600, opens_at=START + timedelta(hours=1)))
    assert (night.given_up, night.attempts < MAILS * 1.05) == (0, True), night
    assert night.minutes < 60 + MAILS / 600 * 4


def test_a_limit_that_is_set_is_never_exceeded() -> None:
    """In any minute at most thirty go out, also after an idle hour, and the server has nothing to refuse."""
    relay = Relay(per_minute=30)
    pace, now, refused = Pace(limit=30.0), START, 0
    for second in range(600):
        now = START + timedelta(seconds=second if second < 300 else second + 3600)
        free = pace.count_free(now, WINDOW)
        pace.take(free, now)
        refused += sum(relay.answer(now) is not None for _ in range(free))
    assert refused == 0
    assert len(relay.taken) >= 28


def test_a_refusal_while_the_server_was_taking_many_is_forgotten_in_minutes() -> None:
    """Two 421 after three mails do not hold a fast relay down: within half an hour nothing bounds it any more."""
    pace = Pace()
    for _ in range(3):
        pace.record_accepted(START)
    assert (pace.slow_down(START), pace.slow_down(START)) == (False, True)
    learnt = pace.rate
    assert learnt is not None
    assert learnt <= 180
    assert pace.count_free(START + timedelta(minutes=30), 10_000) > 1_000


def test_one_refusal_among_messages_that_are_taken_slows_nothing_down() -> None:
    """A throttled number, or a busy mailbox, says nothing of the others."""
    pace = Pace()
    for _ in range(10):
        assert not pace.slow_down(START)
        pace.record_accepted(START)
    assert pace.rate is None


def test_the_outcome_of_a_busy_refusal_is_a_temporary_failure() -> None:
    """It is on record as one, and tried again."""
    refusal = Relay(per_minute=0).answer(START)
    assert refusal is not None
    assert refusal.outcome is AttemptOutcome.TEMPORARY_FAILURE


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    """What was sent while the clock was a day ahead counts neither against the rate nor as lately taken."""
    ahead = START + timedelta(days=1)
    pace = Pace(limit=60)
    assert pace.count_free(ahead, 100) == 60
    pace.take(60, ahead)
    assert pace.count_free(START, 100) == 0
    assert pace.count_free(START + MINUTE / 2, 100) == 30


def test_a_learnt_rate_grows_again_after_the_clock_was_set_back() -> None:
    """It doubles its growth each minute from the instant to which the clock was set."""
    ahead = START + timedelta(days=1)
    pace = Pace()
    for second in range(60):
        pace.record_accepted(ahead + timedelta(seconds=second))
    for _ in range(2):
        pace.slow_down(ahead + MINUTE)
    learnt = pace.rate
    assert learnt is not None
    pace.count_free(START, 1)
    pace.count_free(START + 3 * MINUTE, 1)
    assert pace.rate is not None
    assert pace.rate > learnt
