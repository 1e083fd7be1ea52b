"""The indicators of a season as rows of a table: the total so far, beside last year's, beside the target."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from schemas.content import units
from schemas.plan.plan import Plan
from schemas.plan.values import Bilingual
from services.reporting.content.results_queries import ConsolidatedResults
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.content import agency_rank, results_scope
from services.reporting.core.content.agency_rank import AgencyRank
from services.reporting.core.content.figure_review import ReviewedFigure
from services.reporting.core.results import IndicatorResult, ObligationResults
from services.reporting.core.vietnamese_locale import format_date
from services.reporting.queries import QueryContext

_PLACES = Decimal("0.000001")
_NOT_COMPARABLE = Bilingual(vi="chưa so được", en="not comparable")
_POINTS = Bilingual(vi="điểm", en="points")
_UNKNOWN_CUT_OFF = Bilingual(vi="không ghi ngày chốt", en="no cut-off")
_CUT_OFFS = Bilingual(vi="chốt số {days}", en="as of {days}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorRow:
    """One indicator in words and figures. `share` is what the bar shows, in percent of target or of last year."""

    code: str
    title: str
    unit: str
    total: str
    change: str
    previous: str
    share: float | None
    share_words: str
    agencies: int
    asked: int
    not_given: int
    cut_offs: str
    is_flagged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedResults:
    """The results of one obligation as its reader may see them, and the findings on their figures."""

    results: ObligationResults
    findings: tuple[ReviewedFigure, ...]
    language: str
    plan: Plan
    rank: AgencyRank | None

    @classmethod
    def select(
        cls, found: ConsolidatedResults, obligation: str, *, context: QueryContext, plan: Plan
    ) -> "ReviewedResults | None":
        """Return what the scope covers of the results of one obligation; None where it asks for no figures.

        A reader of one agency alone finds its rank, which is worked out from the others' figures and names none.
        """
        shown, rank = found.consolidated.derive(_select_results, obligation, context.scope)
        if shown is None:
            return None
        findings = found.reviewed.derive(_select_findings, obligation, context.scope)
        return cls(results=shown, findings=findings, language=context.language, plan=plan, rank=rank)

    @property
    def rows(self) -> tuple[IndicatorRow, ...]:
        """The rows, in the plan's order."""
        flagged = {one.finding.code for one in self.findings}
        return tuple(
            _build_row(one, is_flagged=one.indicator.code in flagged, language=self.language)
            for one in self.results.indicators
        )

    @property
    def suspects(self) -> Mapping[str, tuple[ReviewedFigure, ...]]:
        """The findings by agency."""
        by_agency: dict[str, tuple[ReviewedFigure, ...]] = {}
        for one in self.findings:
            by_agency[one.agency] = (*by_agency.get(one.agency, ()), one)
        return by_agency


def _select_results(
    obligations: tuple[ObligationResults, ...], obligation: str, scope: ReaderScope
) -> tuple[ObligationResults | None, AgencyRank | None]:
    """Return what *scope* covers of the results of one obligation, if it asks for figures, and the reader's rank."""
    whole = next((one for one in obligations if one.obligation == obligation), None)
    if whole is None or not whole.indicators:
        return None, None
    own = scope.own_agency
    rank = None if own is None else agency_rank.rank_agency(whole, own)
    return whole if scope.is_everything else results_scope.restrict_obligation(whole, scope.covers_agency), rank


def _select_findings(
    reviewed: tuple[ReviewedFigure, ...], obligation: str, scope: ReaderScope
) -> tuple[ReviewedFigure, ...]:
    return tuple(
        one for one in reviewed if one.obligation == obligation and scope.covers_agency(one.agency, one.groups)
    )


def format_figure(value: Decimal | None, language: str, *, places: int = 2) -> str:
    """Format a figure with as many decimals as it needs, at most *places*: `9.984,2`, or `9,984.2`."""
    if value is None:
        return "–"
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = f"{rounded:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = text.replace("-", "\u2212")
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text


def _build_row(result: IndicatorResult, *, is_flagged: bool, language: str) -> IndicatorRow:
    share, share_words = _describe_share(result, language)
    return IndicatorRow(
        code=result.indicator.code,
        title=result.indicator.label_in(language),
        unit=unit.in_language(language) if (unit := units.describe_unit(result.indicator.unit)) else "",
        total=format_figure(result.total, language),
        change=_describe_change(result, language),
        previous=format_figure(result.previous.total, language) if result.previous else "–",
        share=share,
        share_words=share_words,
        agencies=result.agencies,
        asked=result.asked,
        not_given=len(result.not_given),
        cut_offs=_describe_cut_offs(result, language),
        is_flagged=is_flagged,
    )


def _describe_change(result: IndicatorResult, language: str) -> str:
    """Return the change over the agencies that gave the figure in both years, so that silence reads as no fall."""
    if result.previous is None:
        return "–"
    same = result.previous.same
    if not same.agencies or same.total is None or same.previous is None:
        return _NOT_COMPARABLE.in_language(language)
    if result.indicator.kind == "ratio":
        return f"{_sign(same.total - same.previous, language)} {_POINTS.in_language(language)}"
    if not same.previous:
        return _NOT_COMPARABLE.in_language(language)
    return f"{_sign((same.total - same.previous) * 100 / same.previous, language, places=1)}\u00a0%"


def _sign(value: Decimal, language: str, *, places: int = 2) -> str:
    text = format_figure(value, language, places=places)
    return f"+{text}" if value > 0 and text != "0" else text


def _describe_share(result: IndicatorResult, language: str) -> tuple[float | None, str]:
    """Return the share of the target that is reached, or else of last year's total, and what it is a share of."""
    if result.indicator.kind == "ratio" or result.total is None:
        return None, ""
    if result.target:
        of = (
            f"chỉ tiêu {format_figure(result.target, language)}"
            if language == "vi"
            else (f"the target of {format_figure(result.target, language)}")
        )
        return _share(result.total, result.target, of, language)
    if result.previous and result.previous.total:
        period = result.previous.period
        return _share(
            result.total, result.previous.total, f"của {period}" if language == "vi" else f"of {period}", language
        )
    return None, ""


def _share(part: Decimal, whole: Decimal, of: str, language: str) -> tuple[float, str]:
    percent = (part * 100 / whole).quantize(_PLACES)
    return float(
        min(max(percent, Decimal(0)), Decimal(100))
    ), f"{format_figure(percent, language, places=1)}\u00a0% {of}"


def _describe_cut_offs(result: IndicatorResult, language: str) -> str:
    """Return the days that the figures are of, where they are of several."""
    if len(result.cut_offs) <= 1:
        return ""
    days = ", ".join(
        f"{format_date(day) if day else _UNKNOWN_CUT_OFF.in_language(language)}: {count}"
        for day, count in sorted(result.cut_offs.items(), key=lambda item: -item[1])
    )
    return _CUT_OFFS.in_language(language).format(days=days)
