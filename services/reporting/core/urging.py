"""How often an agency was reminded and urged about one duty, by which channels, and with what effect.

An occasion is one step of one due date: the mail and the SMS of the same step urge once, by two channels. Further
attempts at the same alert are the same occasion. Escalations went to somebody else and are counted apart.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from services.reporting.core.projections import Attempt

SENT = frozenset({AttemptOutcome.DELIVERED, AttemptOutcome.UNKNOWN})
"""Outcomes after which the alert counts as said; `unknown` is a crash after the claim, counted and never hidden."""
UNSENT = frozenset(
    {
        AttemptOutcome.TEMPORARY_FAILURE,
        AttemptOutcome.PERMANENT_FAILURE,
        AttemptOutcome.TECHNICAL_FAILURE,
        AttemptOutcome.UNREACHABLE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Urging:
    """What was said to an agency about one duty; the report that came afterwards, and the last word before it."""

    reminders: int = 0
    urgings: int = 0
    about_incomplete: int = 0
    escalations: int = 0
    by_channel: tuple[tuple[Channel, int], ...] = ()
    unsent: int = 0
    unknown: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    prompted_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def occasions(self) -> int:
        """How many times the agency itself was spoken to."""
        return self.reminders + self.urgings + self.about_incomplete

    @property
    def is_more_than_reminded(self) -> bool:
        """Whether anything besides a reminder before the deadline was said or tried."""
        return bool(self.urgings or self.about_incomplete or self.escalations or self.unsent)


def urging_of(attempts: Iterable[Attempt], effective_at: datetime | None) -> Urging:
    """Return what *attempts*, all about one duty, amount to; it was discharged at *effective_at*, if at all."""
    last_words = _last_words(attempts)
    sent = [one for one in last_words if one.outcome in SENT]
    occasions = Counter(kind for kind, _step, _due in {(one.kind, one.step, one.due_at) for one in sent})
    to_agency = [one for one in sent if one.kind is not StepKind.ESCALATION]
    spoken = sorted(one.attempted_at for one in to_agency)
    heard = [at for at in spoken if effective_at is not None and at <= effective_at]
    channels = Counter(one.channel for one in to_agency)
    return Urging(
        reminders=occasions[StepKind.REMINDER],
        urgings=occasions[StepKind.URGING],
        about_incomplete=occasions[StepKind.INCOMPLETE],
        escalations=occasions[StepKind.ESCALATION],
        by_channel=tuple((channel, channels[channel]) for channel in Channel if channels[channel]),
        unsent=sum(one.outcome in UNSENT for one in last_words),
        unknown=sum(one.outcome is AttemptOutcome.UNKNOWN for one in last_words),
        first_at=spoken[0] if spoken else None,
        last_at=spoken[-1] if spoken else None,
        prompted_at=heard[-1] if heard else None,
        answered_at=effective_at if heard else None,
    )


def _last_words(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Keep how each alert ended: the outcome that says it arrived, else the latest."""
    ended: dict[str, Attempt] = {}
    for one in sorted(attempts, key=lambda attempt: (attempt.attempted_at, attempt.event)):
        known = ended.get(one.alert)
        if known is None or known.outcome is not AttemptOutcome.DELIVERED:
            ended[one.alert] = one
    return list(ended.values())
