"""Render the evidence of a duty as JSON values. Instants are RFC 3339 texts, a figure keeps its digits."""

from collections.abc import Iterable
from datetime import datetime

from schemas.plan.plan import Obligation, Plan
from services.reporting.core import json_views
from services.reporting.core.evidence import explanation, fact_words, revision_differences
from services.reporting.core.evidence.duty_evidence import DutyEvidence
from services.reporting.core.evidence.duty_facts import Alert, DutyFact, ReportDetails
from services.reporting.core.evidence.revision_differences import ReportDifference
from services.reporting.core.evidence.wording import Wording
from services.reporting.core.json_views import JsonObject
from services.reporting.core.timeline import StatusSpan


def render_evidence(evidence: DutyEvidence) -> JsonObject:
    """Render a duty with the sentence that explains its status, its timeline, and every fact and alert about it."""
    parts = explanation.explain_status(evidence)
    assessment = evidence.state.assessment
    words = Wording(zone=evidence.context.zone, language=evidence.context.language)
    return {
        **json_views.render_duty(evidence.line),
        "plan_version": assessment.plan_version,
        "registry": assessment.registry,
        "registry_version": assessment.registry_version,
        "opens_at": json_views.render_instant(assessment.opens_at),
        "evidence": list(evidence.line.evidence),
        "citation": render_citation(evidence.obligation, evidence.context.plan),
        "sentence": explanation.join_parts(parts),
        "parts": [{"text": one.text, "mark": one.mark, "events": list(one.events)} for one in parts],
        "timeline": render_timeline(assessment.timeline),
        "facts": [_render_fact(one, evidence, words) for one in evidence.facts],
        "alerts": [_render_alert(one, evidence, words) for one in evidence.alerts],
    }


def render_citation(obligation: Obligation, plan: Plan) -> JsonObject:
    """Render the clause that lays down an obligation, with its own words and the document that it stands in."""
    citation = obligation.citation
    source = next((one for one in plan.sources if one.id == citation.source), None)
    return {
        "source": citation.source,
        "number": source.number if source else None,
        "issued_on": source.issued_on.isoformat() if source and source.issued_on else None,
        "clause": citation.clause,
        "quote": citation.quote,
    }


def render_timeline(spans: tuple[StatusSpan, ...]) -> list[JsonObject]:
    """Render the status as a function of time, the future included: each span lasts until the next begins."""
    ends: tuple[datetime | None, ...] = (*(one.from_at for one in spans[1:]), None)
    return [
        {
            "from": span.from_at.isoformat(),
            "until": json_views.render_instant(until),
            "status": span.status.value,
            "due_at": json_views.render_instant(span.due_at),
            "effective_at": json_views.render_instant(span.effective_at),
            "submissions": span.submissions,
            "flags": list(span.flags),
            "missing": list(span.missing),
            "evidence": list(span.evidence),
        }
        for span, until in zip(spans, ends, strict=False)
    ]


def _render_fact(fact: DutyFact, evidence: DutyEvidence, words: Wording) -> JsonObject:
    named = next((one for one in evidence.facts if one.event == fact.fact.names and one.report is not None), None)
    view: JsonObject = {
        "receiptid": fact.fact.receiptid,
        "source": fact.fact.identity[0],
        "id": fact.event,
        "type": fact.fact.type,
        "receivedtime": json_views.render_instant(fact.fact.received_at),
        "recordedtime": json_views.render_instant(fact.fact.recorded_at),
        "period": fact.fact.period,
        "names": fact.fact.names,
        "sentence": fact_words.describe_fact(fact, evidence.facts, words),
    }
    if fact.report is None:
        return view
    compared = named.report if named is not None else None
    return view | {
        "stands": fact.fact.identity == evidence.state.span.standing,
        "content": render_report(fact.report),
        "differences": render_differences(
            None if compared is None else revision_differences.compare_reports(compared, fact.report)
        ),
    }


def render_report(report: ReportDetails) -> JsonObject:
    """Render what a submission contains."""
    return {
        "number": report.number,
        "issued_on": report.issued_on.isoformat() if report.issued_on else None,
        "signed_by": report.signed_by,
        "title": report.title,
        "sent_at": json_views.render_instant(report.sent_at),
        "proof": report.proof,
        "nil_return": report.is_nil_return,
        "figures_as_of": report.cut_off.isoformat() if report.cut_off else None,
        "indicators": dict(report.figures),
        "sections": dict(report.sections),
        "attachments": [
            {"name": one.name, "media_type": one.media_type, "size": one.size, "sha256": one.sha256}
            for one in report.attachments
        ],
    }


def render_differences(differences: Iterable[ReportDifference] | None) -> list[JsonObject] | None:
    """Render what differs between the version that is corrected and its correction; None where nothing is corrected."""
    if differences is None:
        return None
    return [{"part": one.part.value, "id": one.id, "before": one.before, "after": one.after} for one in differences]


def _render_alert(alert: Alert, evidence: DutyEvidence, words: Wording) -> JsonObject:
    final = alert.final
    told = fact_words.describe_alert(final, evidence.name_told(final), words)
    return {
        "alert": final.alert,
        "kind": final.kind.value,
        "step": final.step,
        "due_at": json_views.render_instant(final.due_at),
        "channel": final.channel.value,
        "to_agency": final.to_agency,
        "outcome": final.outcome.value,
        "sentence": f"{told}. {fact_words.describe_outcome(final, words)}.",
        "attempts": _render_attempts(alert),
    }


def _render_attempts(alert: Alert) -> Iterable[JsonObject]:
    return [
        {
            "id": one.event,
            "attempted_at": one.attempted_at.isoformat(),
            "outcome": one.outcome.value,
            "reason": one.reason,
        }
        for one in alert.attempts
    ]
