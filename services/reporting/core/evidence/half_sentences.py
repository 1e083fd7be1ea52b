"""Half-sentences about one duty that several statuses share, each with the ids of the events that it rests on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from schemas.events.assessments import Status, StepKind
from services.reporting.core.evidence import duty_facts
from services.reporting.core.evidence.duty_evidence import DutyEvidence
from services.reporting.core.evidence.duty_facts import (
    AcceptanceDetails,
    DutyFact,
    ExtensionDetails,
    RevocationDetails,
    WithdrawalDetails,
)
from services.reporting.core.evidence.wording import Wording
from services.reporting.core.urging import SENT, UNSENT

# What asks the agency for its report. Notices tell it something, and others are told of escalations.
_URGING_KINDS = frozenset({StepKind.REMINDER, StepKind.URGING, StepKind.INCOMPLETE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationPart:
    """A half-sentence, the punctuation mark behind it, and the ids of the events that it rests on, if on any."""

    text: str
    mark: str = ""
    events: tuple[str, ...] = ()


class HalfSentences:
    """Makes the half-sentences about one duty."""

    def __init__(self, evidence: DutyEvidence) -> None:
        self.evidence = evidence
        self.words = Wording(zone=evidence.context.zone, language=evidence.context.language)

    @property
    def standing(self) -> DutyFact | None:
        """The submission whose content counts, where it is among the facts."""
        return duty_facts.find_report(self.evidence.facts, self.evidence.state.span.standing)

    def tell_met_deadline(self) -> ExplanationPart:
        """Say how long before the deadline the report was effective."""
        words, due_at, effective_at = self.words, self.evidence.line.due_at, self.evidence.state.span.effective_at
        if due_at is None or effective_at is None:
            return self.tell_deadline()
        deadline, days = words.deadline(due_at), words.days_between(effective_at, due_at)
        if days <= 0:
            return self._cite_extension(
                vi=f"trong ngày cuối của hạn ({deadline})", en=f"on the last day before the deadline ({deadline})"
            )
        return self._cite_extension(
            vi=f"trước hạn ({deadline}) {words.days(days)}", en=f"{words.days(days)} before the deadline ({deadline})"
        )

    def tell_deadline(self) -> ExplanationPart:
        """Say when the report is or was due, how long that is away, and by which decision it was moved."""
        words, due_at = self.words, self.evidence.line.due_at
        if due_at is None:
            return self.say(vi="không có thời hạn", en="there is no deadline")
        deadline = words.deadline(due_at)
        if self.evidence.line.status is Status.LATE:
            return self._cite_extension(vi=f"hạn là {deadline}", en=f"the deadline was {deadline}")
        if self.evidence.context.as_of < due_at:
            left = words.time_left(due_at, self.evidence.context.as_of)
            return self._cite_extension(vi=f"hạn là {deadline}, còn {left}", en=f"due by {deadline}, {left} left")
        days = -words.days_between(self.evidence.context.as_of, due_at)
        return self._cite_extension(
            vi=f"hạn là {deadline}, đã qua {words.days(days)}" if days > 0 else f"hạn là {deadline}, đã hết",
            en=f"the deadline was {deadline}, {words.days(days)} ago" if days > 0 else f"the deadline was {deadline}",
        )

    def _cite_extension(self, *, vi: str, en: str) -> ExplanationPart:
        moving = [one for one in self.list_in_force() if _find_moving_decision(one) is not None]
        if not moving:
            return self.say(vi=vi, en=en)
        decision = _find_moving_decision(moving[-1])
        return self.say(*moving, vi=f"{vi}, theo quyết định số {decision}", en=f"{en}, by decision No. {decision}")

    def tell_remarks(self) -> Iterator[ExplanationPart]:
        """Say what else the reader must know: acceptance, who filed, what needs a person."""
        flags = set(self.evidence.line.flags)
        accepted = [one for one in self.list_in_force() if isinstance(one.details, AcceptanceDetails)]
        if "accepted" in flags and accepted:
            at = self.words.instant(accepted[-1].fact.received_at)
            yield self.say(accepted[-1], vi=f"đã được tiếp nhận lúc {at}", en=f"accepted at {at}")
        if "filed_by_successor" in flags:
            yield self.say(vi="do đơn vị kế thừa gửi thay", en="filed by the successor")
        if "needs_reconciliation" in flags:
            several = [one for one in self.list_in_force() if one.report is not None]
            yield self.say(
                *several,
                vi="có nhiều văn bản khác nhau cùng còn hiệu lực, cần đối chiếu",
                en="different documents stand beside each other and need to be reconciled",
            )
        if "dispatch_unproven" in flags:
            yield self.say(
                self.standing,
                vi="thời điểm gửi chưa có bên thứ ba xác nhận nên tính theo lúc nhận",
                en="no third party proves when it was sent, so the receipt counts",
            )

    def tell_withdrawals(self) -> Iterator[ExplanationPart]:
        """Say which reports were withdrawn, and when."""
        for one in self.list_in_force():
            if isinstance(one.details, WithdrawalDetails):
                named = next((other for other in self.evidence.facts if other.event == one.fact.names), None)
                name = self.words.report(named.report if named else None)
                at = self.words.instant(one.fact.received_at)
                yield self.say(one, vi=f"{name} đã được rút lại lúc {at}", en=f"{name} was withdrawn at {at}")

    def tell_urging(self) -> Iterator[ExplanationPart]:
        """Say how often the agency was alerted, and how often it was not reached."""
        words, urging = self.words, self.evidence.line.urging
        own = [one.final for one in self.evidence.alerts if one.final.kind in _URGING_KINDS]
        reached = [one for one in own if one.outcome in SENT]
        lost = [one for one in own if one.outcome in UNSENT]
        if urging.occasions and urging.last_at is not None:
            at, times = words.instant(urging.last_at), words.times(urging.occasions)
            is_before = not urging.urgings and not urging.about_incomplete
            told = "đã nhắc" if is_before else "đã nhắc, đôn đốc"
            yield ExplanationPart(
                text=words.choose(
                    vi=f"{told} {times}, lần cuối lúc {at}",
                    en=f"{'reminded' if is_before else 'reminded and urged'} {times}, the last time at {at}",
                ),
                events=tuple(dict.fromkeys(one.event for one in reached)),
            )
        if lost:
            count = words.times(len(lost))
            yield ExplanationPart(
                text=words.choose(vi=f"{count} không gửi được đến đơn vị", en=f"the agency was not reached {count}"),
                events=tuple(dict.fromkeys(one.event for one in lost)),
            )

    def list_in_force(self) -> list[DutyFact]:
        """Return the facts that the status rests on, in order of receipt."""
        in_force = set(self.evidence.state.span.evidence)
        return [one for one in self.evidence.facts if one.event in in_force]

    def say(self, *facts: DutyFact | None, vi: str, en: str) -> ExplanationPart:
        """Return the half-sentence in the language, which rests on *facts*."""
        events = tuple(dict.fromkeys(one.event for one in facts if one is not None))
        return ExplanationPart(text=self.words.choose(vi=vi, en=en), events=events)


def _find_moving_decision(fact: DutyFact) -> str | None:
    """Return the number of the decision by which *fact* moves the due instant, or None."""
    match fact.details:
        case (
            ExtensionDetails(decision=number, due_at=datetime()) | RevocationDetails(decision=number, due_at=datetime())
        ):
            return number
        case _:
            return None
