"""Count how often an agency was reminded and urged about one duty, by which channels, and with what effect.

An occasion is one step of one due date: the mail and the SMS of the same step are one occasion on two channels. Further
attempts at the same alert belong to the same occasion. Escalations went to somebody else and are counted separately;
copies for agencies that co-operate in a report are no urging of the one that owes it, and are not counted. Once an
office has ended, who stands in its place is asked for what it owes, and that counts as urging about that duty.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from schemas.events.assessments import StepKind
from schemas.events.deliveries import TAKEN, AttemptOutcome, Channel
from schemas.events.ids import DutyKey

# Outcomes of an alert that did not reach anybody, as far as is known. One of unknown outcome (its process died while it
# was on the wire) is neither sent nor unsent: it is counted apart, and never as an occasion.
SENT = TAKEN | {AttemptOutcome.COMPLAINED}
UNSENT = frozenset(
    {
        AttemptOutcome.TEMPORARY_FAILURE,
        AttemptOutcome.PERMANENT_FAILURE,
        AttemptOutcome.TECHNICAL_FAILURE,
        AttemptOutcome.UNREACHABLE,
        AttemptOutcome.BOUNCED,
        AttemptOutcome.EXPIRED,
    }
)
# Of these, what no further attempt will mend: somebody has to find another address.
_GIVEN_UP = frozenset(
    {
        AttemptOutcome.PERMANENT_FAILURE,
        AttemptOutcome.UNREACHABLE,
        AttemptOutcome.BOUNCED,
        AttemptOutcome.EXPIRED,
    }
)
# What came back says more than the server's answer, and arrives later. Of the others the last attempt says it.
_CERTAINTY = {
    AttemptOutcome.COMPLAINED: 4,
    AttemptOutcome.CONFIRMED: 3,
    AttemptOutcome.BOUNCED: 3,
    AttemptOutcome.ACCEPTED: 2,
    AttemptOutcome.DELIVERED: 2,
}


# What only tells an agency something asks for no report, so no report answers it.
NOTICES = frozenset({StepKind.OPENING, StepKind.RECEIVED, StepKind.EXTENSION, StepKind.EXEMPTION, StepKind.SUCCESSION})
# An escalation asks the agency above.
PROMPTS = frozenset(StepKind) - NOTICES - {StepKind.ESCALATION}


# The kind of a step and its name in the plan, such as `P7D`.
_Step = tuple[StepKind, str]


class AlertAttempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attempt at one alert, as the notifier published it, for one of the duties that the alert names.

    `reason` is what the notifier said of an attempt that did not succeed. `delivery` is one for all attempts at one
    recipient of the alert. `as_successor`: it went to who stands in the place of the agency, which has ended.
    """

    event: str
    alert: str
    key: DutyKey
    kind: StepKind
    step: str
    due_at: datetime | None
    channel: Channel
    to_agency: str
    outcome: AttemptOutcome
    attempted_at: datetime
    reason: str | None = None
    delivery: str = ""
    as_successor: bool = False


class Urging(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The alerts that an agency, or who stands in its place, received about one duty.

    `first_tried_at` is the first attempt to prompt the agency, whatever came of it, and `first_at` the first that was
    sent. Of the alerts that were sent, to whomever, `accepted` counts those that a server took and of which nothing
    more is known, `confirmed` those that are known to have arrived. `bounced` and `unknown` are no occasions.
    `is_out_of_reach`: the last occasion of alerting the agency was given up on every channel, for want of an address.
    `prompted_at` is the last alert up to the complete report; `answered_at` is that report, if an alert came before it.
    """

    reminders: int = 0
    urgings: int = 0
    about_incomplete: int = 0
    escalations: int = 0
    by_channel: tuple[tuple[Channel, int], ...] = ()
    accepted: int = 0
    confirmed: int = 0
    bounced: int = 0
    unsent: int = 0
    unknown: int = 0
    is_out_of_reach: bool = False
    first_tried_at: datetime | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    prompted_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def occasions(self) -> int:
        """The number of occasions on which the agency itself was alerted."""
        return self.reminders + self.urgings + self.about_incomplete

    @property
    def is_more_than_reminded(self) -> bool:
        """Whether anything besides a reminder before the due instant was sent or tried."""
        return bool(self.urgings or self.about_incomplete or self.escalations or self.unsent or self.unknown)


# Of most duties, which is why it is not worked out for each.
_NOTHING = Urging()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEffect:
    """One step of reminding or urging: how many agencies it reached, how many then reported before the next step.

    `evidence` are the ids of the deliveries, `answering` those of them after which a report came.
    """

    kind: StepKind
    step: str
    asked: int
    answered: int
    evidence: tuple[str, ...] = ()
    answering: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgedDuty:
    """The attempts about one duty, and when a complete report discharged it, if at all."""

    attempts: Iterable[AlertAttempt]
    completed_at: datetime | None


def summarize_attempts(attempts: Iterable[AlertAttempt], completed_at: datetime | None) -> Urging:
    """Summarize *attempts*, all about one duty, which a complete report discharged at *completed_at*, if at all."""
    final_attempts = select_final_attempts(_leave_copies_out(attempts))
    if not final_attempts:
        return _NOTHING
    outcomes = Counter(attempt.outcome for attempt in final_attempts)
    sent = [attempt for attempt in final_attempts if attempt.outcome in SENT]
    # A set, because the mail and the SMS of one step are one occasion.
    occasions = Counter(kind for kind, _step, _due_at in {(one.kind, one.step, one.due_at) for one in sent})
    to_agency = [attempt for attempt in sent if attempt.kind in PROMPTS]
    sent_at = sorted(attempt.attempted_at for attempt in to_agency)
    before_report = [instant for instant in sent_at if completed_at is not None and instant <= completed_at]
    channels = Counter(attempt.channel for attempt in to_agency)
    return Urging(
        reminders=occasions[StepKind.REMINDER],
        urgings=occasions[StepKind.URGING],
        about_incomplete=occasions[StepKind.INCOMPLETE],
        escalations=occasions[StepKind.ESCALATION],
        by_channel=tuple((channel, channels[channel]) for channel in Channel if channels[channel]),
        accepted=outcomes[AttemptOutcome.ACCEPTED] + outcomes[AttemptOutcome.DELIVERED],
        confirmed=outcomes[AttemptOutcome.CONFIRMED] + outcomes[AttemptOutcome.COMPLAINED],
        bounced=outcomes[AttemptOutcome.BOUNCED],
        unsent=sum(outcomes[one] for one in UNSENT),
        unknown=outcomes[AttemptOutcome.UNKNOWN],
        is_out_of_reach=_is_out_of_reach(final_attempts),
        first_tried_at=min((one.attempted_at for one in final_attempts if one.kind in PROMPTS), default=None),
        first_at=sent_at[0] if sent_at else None,
        last_at=sent_at[-1] if sent_at else None,
        prompted_at=before_report[-1] if before_report else None,
        answered_at=completed_at if before_report else None,
    )


def list_sent_alerts(attempts: Iterable[AlertAttempt]) -> Mapping[StepKind, tuple[str, ...]]:
    """Return by kind the ids of the deliveries that `summarize_attempts` counts as occasions or escalations."""
    sent: dict[StepKind, list[str]] = {}
    for one in select_final_attempts(_leave_copies_out(attempts)):
        if one.outcome in SENT:
            sent.setdefault(one.kind, []).append(one.event)
    return {kind: tuple(sorted(events)) for kind, events in sent.items()}


def _is_out_of_reach(final_attempts: Iterable[AlertAttempt]) -> bool:
    """Whether the last of *final_attempts* at the agency, and those of the same step, all were given up."""
    to_agency = [one for one in final_attempts if one.kind is not StepKind.ESCALATION]
    last = max(to_agency, key=lambda one: one.attempted_at, default=None)
    if last is None:
        return False
    return all(
        one.outcome in _GIVEN_UP
        for one in to_agency
        if (one.kind, one.step, one.due_at) == (last.kind, last.step, last.due_at)
    )


def measure_steps(duties: Iterable[UrgedDuty]) -> tuple[StepEffect, ...]:
    """Return for each step whom it reached and who reported before the next one, in the order of the steps.

    A report answers the last step before it; a report without a step before it answers none.
    """
    asked: Counter[_Step] = Counter()
    answered: Counter[_Step] = Counter()
    begins: dict[_Step, timedelta] = {}
    evidence: dict[_Step, list[str]] = {}
    answering: dict[_Step, list[str]] = {}
    for duty in duties:
        occasions = _list_occasions(duty.attempts)
        for step, sent in occasions.items():
            begins[step] = min(begins.get(step, timedelta.max), *(_time_after_due(one) for one in sent))
            evidence.setdefault(step, []).extend(one.event for one in sent)
        asked.update(list(occasions))
        before = [
            step
            for step, sent in occasions.items()
            if duty.completed_at is not None and sent[0].attempted_at <= duty.completed_at
        ]
        for step in before[-1:]:
            answered[step] += 1
            answering.setdefault(step, []).extend(one.event for one in occasions[step])
    return tuple(
        StepEffect(
            kind=step[0],
            step=step[1],
            asked=asked[step],
            answered=answered[step],
            evidence=tuple(sorted(evidence[step])),
            answering=tuple(sorted(answering.get(step, ()))),
        )
        for step in sorted(asked, key=lambda one: (begins[one], one))
    )


def _list_occasions(attempts: Iterable[AlertAttempt]) -> Mapping[_Step, Sequence[AlertAttempt]]:
    """Return what was sent about one duty by step, in the order of time.

    The mail and the SMS of one step are one occasion, which begins with the first of them.
    """
    sent = [
        one
        for one in select_final_attempts(_leave_copies_out(attempts))
        if one.outcome in SENT and one.due_at is not None and one.kind not in NOTICES
    ]
    occasions: dict[_Step, list[AlertAttempt]] = {}
    for one in sorted(sent, key=lambda attempt: attempt.attempted_at):
        occasions.setdefault((one.kind, _name_step(one)), []).append(one)
    return occasions


def _time_after_due(attempt: AlertAttempt) -> timedelta:
    return timedelta.max if attempt.due_at is None else attempt.attempted_at - attempt.due_at


def _name_step(attempt: AlertAttempt) -> str:
    # These notices are named by the submission or the return that they speak of, so all of a kind are one step here.
    return "" if attempt.kind in {StepKind.INCOMPLETE, StepKind.RETURNED} else attempt.step


def _leave_copies_out(attempts: Iterable[AlertAttempt]) -> list[AlertAttempt]:
    """Return the attempts at the agency that owes the report or its successors, and at those above it."""
    return [
        one
        for one in attempts
        if one.kind is StepKind.ESCALATION or one.as_successor or one.to_agency == one.key.agency
    ]


def select_final_attempts(attempts: Iterable[AlertAttempt]) -> list[AlertAttempt]:
    """Return one attempt for each alert: of each recipient what is known last, of those the best.

    A report that a mail bounced counts against the recipient whom it concerns. An alert that another recipient got was
    sent.
    """
    of_recipients: dict[tuple[str, str], AlertAttempt] = {}
    for attempt in sorted(attempts, key=lambda one: (one.attempted_at, one.event)):
        recipient = (attempt.alert, attempt.delivery)
        current = of_recipients.get(recipient)
        if current is None or _certainty(attempt) >= _certainty(current) or _is_sent_again(current, attempt):
            of_recipients[recipient] = attempt
    final: dict[str, AlertAttempt] = {}
    for attempt in of_recipients.values():
        current = final.get(attempt.alert)
        if current is None or _reach(attempt) > _reach(current):
            final[attempt.alert] = attempt
    return list(final.values())


def _is_sent_again(before: AlertAttempt, after: AlertAttempt) -> bool:
    """Whether *after* is a further attempt at what had bounced: resent by hand, or by another provider."""
    return before.outcome is AttemptOutcome.BOUNCED and after.outcome in TAKEN


def _certainty(attempt: AlertAttempt) -> int:
    return _CERTAINTY.get(attempt.outcome, 0)


def _reach(attempt: AlertAttempt) -> int:
    """Rank what is known of an alert at one recipient, by how surely it arrived."""
    order = (AttemptOutcome.COMPLAINED, AttemptOutcome.CONFIRMED, AttemptOutcome.ACCEPTED, AttemptOutcome.DELIVERED)
    if attempt.outcome in order:
        return len(order) - order.index(attempt.outcome) + 1
    return int(attempt.outcome is AttemptOutcome.UNKNOWN)
