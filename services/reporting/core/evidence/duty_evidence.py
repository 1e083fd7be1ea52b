"""What is known of one duty at one instant: its state and line, and the facts and alerts about it."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.plan.plan import Obligation
from services.reporting.core import labels, urging
from services.reporting.core.duty_lines import DutyLine, LineContext
from services.reporting.core.evidence.duty_facts import Alert, DutyFact
from services.reporting.core.timeline import DutyState, StatusSpan
from services.reporting.core.urging import AlertAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyEvidence:
    """One duty, and everything that its status rests on; `context` has the instant asked about and the language."""

    state: DutyState
    line: DutyLine
    obligation: Obligation
    facts: tuple[DutyFact, ...]
    alerts: tuple[Alert, ...]
    context: LineContext

    @property
    def past_spans(self) -> tuple[StatusSpan, ...]:
        """The spans of the timeline that had begun by the instant asked about, in order."""
        return tuple(one for one in self.state.assessment.timeline if one.from_at <= self.context.as_of)

    def name_part(self, part: str) -> str:
        """Return the label of a missing part; one that is another agency's report has the name of that agency."""
        context, agency = self.context, part.partition(".")[2]
        names = {agency: context.registry.name_on(agency, context.today, context.language)}
        return labels.missing_part_label(
            part, self.obligation, context.plan, language=context.language, agency_names=names
        )

    def name_told(self, attempt: AlertAttempt) -> str:
        """Return the name of the agency that an alert went to; a list of contacts is that of the report's addressee."""
        context = self.context
        if attempt.to_agency not in context.registry.agencies:
            return context.plan.report.addressee or attempt.to_agency
        return context.registry.name_on(attempt.to_agency, context.today, context.language)


def group_alerts(attempts: Iterable[AlertAttempt]) -> tuple[Alert, ...]:
    """Return the alerts that *attempts*, all about one duty, belong to, in order of their first attempt."""
    grouped: dict[str, list[AlertAttempt]] = {}
    for one in sorted(attempts, key=lambda attempt: (attempt.attempted_at, attempt.event)):
        grouped.setdefault(one.alert, []).append(one)
    return tuple(
        Alert(attempts=tuple(several), final=urging.select_final_attempts(several)[0]) for several in grouped.values()
    )
