"""A route whose refusals are no recipient's fault is left alone for a while, and tried again with one message."""

from datetime import UTC, datetime, timedelta

from services.notifier.core.dispatch import circuit, refusals
from services.notifier.core.dispatch.circuit import Circuit, CircuitPolicy
from services.notifier.core.dispatch.refusals import Phase

NOW = datetime(2026, 12, 9, tzinfo=UTC)
POLICY = CircuitPolicy(first=timedelta(seconds=15), longest=timedelta(minutes=1))
CLOSED_RELAY = refusals.read_smtp_reply(Phase.CONNECT, 554)
DENIED = refusals.read_smtp_reply(Phase.RCPT, 554, "5.7.1")
BUSY = refusals.read_smtp_reply(Phase.MAIL, 450)


def test_a_refusal_of_the_session_opens_the_circuit_at_once() -> None:
    """No further message is spent on a server that refuses the connection."""
    opened = circuit.record_failure(Circuit(), CLOSED_RELAY, POLICY, NOW)
    assert opened.open_until == NOW + timedelta(seconds=15)
    assert not opened.allows_probe(NOW)
    assert opened.allows_probe(NOW + timedelta(seconds=15))


def test_one_denied_recipient_is_not_yet_the_route() -> None:
    """`Relay access denied` for three messages in a row opens it; a message that is taken in between starts anew."""
    one = circuit.record_failure(Circuit(), DENIED, POLICY, NOW)
    two = circuit.record_failure(one, DENIED, POLICY, NOW)
    assert (one.is_closed, two.is_closed) == (True, True)
    assert not circuit.record_failure(two, DENIED, POLICY, NOW).is_closed
    assert circuit.record_failure(circuit.record_success(two), DENIED, POLICY, NOW).is_closed


def test_three_unanswered_messages_open_the_circuit() -> None:
    """A server that takes messages and never answers gets no fourth one."""
    state = Circuit()
    for _ in range(3):
        assert state.is_closed
        state = circuit.record_failure(state, None, POLICY, NOW)
    assert not state.is_closed


def test_a_failed_probe_doubles_the_pause_up_to_the_longest() -> None:
    """The pauses are 15, 30, 60 and 60 seconds; a success closes the circuit."""
    state, now = circuit.record_failure(Circuit(), CLOSED_RELAY, POLICY, NOW), NOW
    pauses = []
    for _ in range(4):
        assert state.open_until is not None
        pauses.append((state.open_until - now).total_seconds())
        now = state.open_until
        state = circuit.record_failure(state, CLOSED_RELAY, POLICY, now)
    assert pauses == [15, 30, 60, 60]
    assert circuit.record_success(state) == Circuit()


def test_answers_that_come_after_the_opening_do_not_prolong_it() -> None:
    """What was on its way when the circuit opened is refused as well, and says nothing new."""
    opened = circuit.record_failure(Circuit(), CLOSED_RELAY, POLICY, NOW)
    again = circuit.record_failure(opened, CLOSED_RELAY, POLICY, NOW + timedelta(seconds=1))
    assert again.open_until == opened.open_until


def test_a_busy_server_is_slow_and_not_broken_until_five_minutes_have_passed() -> None:
    """It asks for less; only one that takes nothing for five minutes is left for the next provider."""
    state = Circuit()
    for minute in range(5):
        state = circuit.record_failure(state, BUSY, POLICY, NOW + timedelta(minutes=minute))
        assert state.is_closed
    assert not circuit.record_failure(state, BUSY, POLICY, NOW + timedelta(minutes=5)).is_closed


def test_a_clock_that_is_set_back_keeps_no_route_closed() -> None:
    """A route that failed while the clock was a day ahead is tried again at once, not after a day."""
    ahead = NOW + timedelta(days=1)
    opened = circuit.record_failure(Circuit(), CLOSED_RELAY, POLICY, ahead)
    assert not opened.allows_probe(ahead)
    assert opened.allows_probe(NOW)
    busy = circuit.record_failure(Circuit(), BUSY, POLICY, ahead)
    assert circuit.record_failure(busy, BUSY, POLICY, NOW).failing_since == NOW
