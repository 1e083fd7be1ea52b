"""The results of a plan for a period as the JSON document of contract section 8.

Every total, value and target is text in plain notation, so that no reader rounds it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas.plan import figures, values
from services.reporting.core.results import (
    AgencyFigure,
    AgencyText,
    IndicatorResult,
    ObligationResults,
    PreviousTotal,
)

UNKNOWN_CUT_OFF = "unknown"
OBLIGATIONS = "obligations"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResults:
    """The results of a plan for a period, and the question that they answer; `zone` is that of the plan."""

    plan: str
    period: str
    at: datetime
    known_at: datetime
    zone: ZoneInfo
    obligations: tuple[ObligationResults, ...]

    def select_obligations(self, ids: Collection[str]) -> "PlanResults":
        """Return the results of the obligations with these *ids* alone."""
        return replace(self, obligations=tuple(one for one in self.obligations if one.obligation in ids))


def build_document(results: PlanResults) -> dict[str, Any]:
    """Return the document of a plan."""
    return {**build_head(results), OBLIGATIONS: [build_obligation(one) for one in results.obligations]}


def build_head(results: PlanResults) -> dict[str, Any]:
    """Return the members of the document before those of the obligations: what is asked, and the instants."""
    return {
        "plan": results.plan,
        "period": results.period,
        "at": _write_instant(results.at, results.zone),
        "known_at": _write_instant(results.known_at, results.zone),
    }


def build_obligation(results: ObligationResults) -> dict[str, Any]:
    """Return the results of one obligation as a member of the document."""
    return {
        "obligation": results.obligation,
        "expected": results.expected,
        "standing": results.standing,
        "indicators": [_build_indicator(one) for one in results.indicators],
        "sections": [
            {"id": section, "texts": [_build_text(one) for one in texts]} for section, texts in results.sections.items()
        ],
    }


def _build_indicator(result: IndicatorResult) -> dict[str, Any]:
    return {
        "code": result.indicator.code,
        "unit": result.indicator.unit,
        "kind": result.indicator.kind,
        "total": _write(result.total),
        "asked": result.asked,
        "agencies": result.agencies,
        "late": result.late,
        "incomplete": result.incomplete,
        "not_given": list(result.not_given),
        "cut_offs": _build_cut_offs(result.cut_offs),
        "target": _write(result.target),
        "previous": None if result.previous is None else _build_previous(result.previous),
        "groups": [{"group": one.group, "total": _write(one.total), "agencies": one.agencies} for one in result.groups],
        "figures": [_build_figure(one) for one in result.figures],
    }


def _build_cut_offs(counts: Mapping[date | None, int]) -> dict[str, int]:
    """Return the counts by cut-off in order of time, those without one last."""
    dated = sorted((day, count) for day, count in counts.items() if day is not None)
    undated = {UNKNOWN_CUT_OFF: counts[None]} if None in counts else {}
    return {**{day.isoformat(): count for day, count in dated}, **undated}


def _build_previous(previous: PreviousTotal) -> dict[str, Any]:
    return {
        "period": previous.period,
        "total": _write(previous.total),
        "agencies": previous.agencies,
        "comparable": previous.is_comparable,
        "same": {
            "agencies": previous.same.agencies,
            "total": _write(previous.same.total),
            "previous": _write(previous.same.previous),
        },
    }


def _build_figure(figure: AgencyFigure) -> dict[str, Any]:
    return {
        "agency": figure.agency,
        "value": _write(figure.value),
        "status": figure.status.value,
        "cut_off": None if figure.cut_off is None else figure.cut_off.isoformat(),
        "source": figure.source,
        "id": figure.id,
        "flags": list(figure.flags),
    }


def _build_text(text: AgencyText) -> dict[str, str]:
    return {"agency": text.agency, "text": text.text, "source": text.source, "id": text.id}


def _write(value: Decimal | None) -> str | None:
    return None if value is None else figures.write_plainly(value)


def _write_instant(instant: datetime, zone: ZoneInfo) -> str:
    return values.move_to_zone(instant, zone).isoformat(timespec="milliseconds")
