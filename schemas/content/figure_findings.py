"""Figures that look like a slip: a factor of a thousand or a hundred, last year's figure again, a value out of range.

Reports mix triệu and tỷ đồng, and a percentage may be written as a fraction. A finding asks for a second look; it
refuses nothing, and no status follows from it. Intake shows to the sender what the report alone gives away, reporting
shows to the officer what last year's figures give away as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from schemas.content import units
from schemas.plan import figures
from schemas.plan.indicators import Indicator
from schemas.plan.values import Bilingual

THOUSAND, HUNDRED = Decimal(1000), Decimal(100)

# Between one year and the next a figure may well triple. So what is off by more than a third of the factor is a slip.
_GROWTH_MAX = 3

# The same small number of offices, groups or inspections as last year is no news; the same sum of money is.
_SMALL_COUNT = 1000


class FindingKind(StrEnum):
    """What a figure looks like."""

    THOUSANDFOLD = "thousandfold"
    HUNDREDFOLD = "hundredfold"
    UNCHANGED = "unchanged"
    OUT_OF_RANGE = "out-of-range"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureFinding:
    """A figure, or the ratio that several figures make, that looks like a slip, and what to say of it."""

    code: str
    kind: FindingKind
    words: Bilingual


def find_slips(
    indicators: Sequence[Indicator], given: Mapping[str, Decimal], previous: Mapping[str, Decimal] | None
) -> tuple[FigureFinding, ...]:
    """Return what looks like a slip in the figures *given* by one agency, at most one finding a code.

    *indicators* are those asked for and their ratios (`RequestedContent.indicators`); *previous* are the agency's own
    figures of the same period a year earlier, None where they are not known.
    """
    report = _ReportedFigures(indicators, given)
    found = {one.code: one for one in _compare_with_last_year(report, previous or {})}
    for finding in _find_outliers(report, frozenset(found)):
        found.setdefault(finding.code, finding)
    for finding in _compare_ratios(report, previous or {}, frozenset(found)):
        found.setdefault(finding.code, finding)
    return tuple(found[one.code] for one in indicators if one.code in found)


@dataclass(frozen=True, slots=True)
class _ReportedFigures:
    """The figures of one agency with their indicators."""

    indicators: Sequence[Indicator]
    values: Mapping[str, Decimal]

    def work_out(self, indicator: Indicator) -> Decimal | None:
        """Return the value of *indicator*; None where it was not given, or cannot be worked out."""
        formula = indicator.parse_formula()
        if formula is None:
            return self.values.get(indicator.code)
        is_given = all(code in self.values for code in formula.codes)
        return formula.work_out(self.values) if is_given else None

    def scale(self, code: str, factor: Decimal) -> "_ReportedFigures":
        """Return the same figures with that of *code* multiplied by *factor*."""
        return _ReportedFigures(self.indicators, {**self.values, code: self.values[code] * factor})

    def list_outliers(self) -> list[Indicator]:
        """Return the indicators whose value is outside its range."""
        values = ((one, self.work_out(one)) for one in self.indicators)
        return [one for one, value in values if value is not None and not _is_in_range(value, one)]

    def label(self, code: str, language: str) -> str:
        """Return the title of the indicator *code*."""
        return next((one.label_in(language) for one in self.indicators if one.code == code), code)


def _compare_with_last_year(report: _ReportedFigures, previous: Mapping[str, Decimal]) -> Iterator[FigureFinding]:
    for one in report.indicators:
        value, before = report.values.get(one.code), previous.get(one.code)
        if one.formula is not None or not value or not before:
            continue
        factor = HUNDRED if one.unit == units.PERCENT else THOUSAND
        if value == before:
            if not (one.integer and abs(value) < _SMALL_COUNT):
                yield _describe_unchanged(one, value)
        elif _is_off_by(value / before, factor):
            yield _describe_jump(one, value, before, factor)


def _compare_ratios(
    report: _ReportedFigures, previous: Mapping[str, Decimal], explained: frozenset[str]
) -> Iterator[FigureFinding]:
    """Yield each ratio that is a hundred times last year's though no finding about one of its figures explains it."""
    before = _ReportedFigures(report.indicators, previous)
    for one in report.indicators:
        formula = one.parse_formula()
        if formula is None or not explained.isdisjoint(formula.codes):
            continue
        value, earlier = report.work_out(one), before.work_out(one)
        if value and earlier and _is_off_by(value / earlier, HUNDRED):
            yield _describe_jump(one, value, earlier, HUNDRED)


def _find_outliers(report: _ReportedFigures, explained: frozenset[str]) -> Iterator[FigureFinding]:
    """Yield a finding for each value out of range: on the one figure that a factor would put right, if there is one.

    There is none where a finding about such a figure explains the value already.
    """
    outliers = report.list_outliers()
    for one in outliers:
        suspects = _list_suspects(report, one, outliers)
        if not explained.isdisjoint(suspects):
            continue
        value = report.work_out(one) or Decimal(0)
        factor = HUNDRED if one.unit == units.PERCENT and one.formula is None else THOUSAND
        kind = FindingKind.HUNDREDFOLD if factor == HUNDRED else FindingKind.THOUSANDFOLD
        yield FigureFinding(
            code=suspects[0] if len(suspects) == 1 else one.code,
            kind=kind if suspects else FindingKind.OUT_OF_RANGE,
            words=_describe_outlier(report, one, value, suspects, factor),
        )


def _list_suspects(report: _ReportedFigures, outlier: Indicator, outliers: Sequence[Indicator]) -> list[str]:
    """Return the codes of the figures one of which, multiplied or divided by the factor, puts *outlier* into range.

    Where such a change puts more of the values right than another, only the one that does most is returned; one that
    would put another value out of range is none.
    """
    formula = outlier.parse_formula()
    codes = (outlier.code,) if formula is None else formula.codes
    factor = HUNDRED if outlier.unit == units.PERCENT and formula is None else THOUSAND
    known = {one.code for one in outliers}
    left_by_code: dict[str, int] = {}
    for code in codes:
        for scaled in (report.scale(code, factor), report.scale(code, 1 / factor)):
            left = {one.code for one in scaled.list_outliers()}
            if outlier.code not in left and left <= known and report.values[code]:
                left_by_code[code] = len(left)
    fewest = min(left_by_code.values(), default=0)
    return [code for code, left in left_by_code.items() if left == fewest]


def _is_in_range(value: Decimal, indicator: Indicator) -> bool:
    return (indicator.min is None or value >= indicator.min) and (indicator.max is None or value <= indicator.max)


def _is_off_by(quotient: Decimal, factor: Decimal) -> bool:
    size = abs(quotient)
    return size * _GROWTH_MAX >= factor or size * factor <= _GROWTH_MAX


def _describe_unchanged(indicator: Indicator, value: Decimal) -> FigureFinding:
    shown = _Shown(indicator, value)
    words = Bilingual.of(
        en=f"{shown.en} is exactly the figure of a year before; please see that it is this year's.",
        vi=f"{shown.vi}, đúng bằng số liệu cùng kỳ năm trước; đề nghị kiểm tra số liệu đã được cập nhật chưa.",
    )
    return FigureFinding(code=indicator.code, kind=FindingKind.UNCHANGED, words=words)


def _describe_jump(indicator: Indicator, value: Decimal, before: Decimal, factor: Decimal) -> FigureFinding:
    shown = _Shown(indicator, value)
    earlier = {language: figures.write_for_people(before, language) for language in ("en", "vi")}
    is_more = abs(value) > abs(before)
    times = {
        language: figures.write_for_people(_round_times(value / before if is_more else before / value), language)
        for language in ("en", "vi")
    }
    compared = {
        "en": f"about {times['en']} times" if is_more else f"about 1/{times['en']} of",
        "vi": f"gấp khoảng {times['vi']} lần" if is_more else f"chỉ bằng khoảng 1/{times['vi']}",
    }
    words = Bilingual.of(
        en=f"{shown.en} is {compared['en']} the figure of a year before ({earlier['en']}); please check the unit.",
        vi=f"{shown.vi}, {compared['vi']} số liệu cùng kỳ năm trước ({earlier['vi']}); đề nghị kiểm tra đơn vị tính.",
    )
    kind = FindingKind.HUNDREDFOLD if factor == HUNDRED else FindingKind.THOUSANDFOLD
    return FigureFinding(code=indicator.code, kind=kind, words=words)


def _round_times(quotient: Decimal) -> Decimal:
    """Round to one digit: who looks for a slip wants to read 1,000 and not 1,037.4."""
    size = abs(quotient)
    return size.quantize(Decimal(1).scaleb(size.adjusted()))


def _describe_outlier(
    report: _ReportedFigures, indicator: Indicator, value: Decimal, suspects: Sequence[str], factor: Decimal
) -> Bilingual:
    shown = _Shown(indicator, value)
    en = f"{shown.en} is outside what is plausible, {_describe_range(indicator, 'en')}"
    vi = f"{shown.vi}, ngoài khoảng hợp lý {_describe_range(indicator, 'vi')}"
    if not suspects:
        return Bilingual.of(en=f"{en}; please check.", vi=f"{vi}; đề nghị kiểm tra.")
    times = {language: figures.write_for_people(factor, language) for language in ("en", "vi")}
    named_en = " or ".join(f"“{report.label(code, 'en')}”" for code in suspects)
    named_vi = " hoặc ".join(f"“{report.label(code, 'vi')}”" for code in suspects)
    return Bilingual.of(
        en=f"{en}; perhaps {named_en} is off by a factor of {times['en']}. Please check the unit.",
        vi=f"{vi}; có thể {named_vi} ghi lệch {times['vi']} lần. Đề nghị kiểm tra đơn vị tính.",
    )


def _describe_range(indicator: Indicator, language: str) -> str:
    begin, end = ("từ", "đến") if language == "vi" else ("from", "to")
    low = "" if indicator.min is None else f"{begin} {figures.write_for_people(indicator.min, language)}"
    high = "" if indicator.max is None else f"{end} {figures.write_for_people(indicator.max, language)}"
    return " ".join(part for part in (low, high) if part)


class _Shown:
    """An indicator with a value and its unit, in both languages: `Outstanding loans: 512,000 million VND`."""

    def __init__(self, indicator: Indicator, value: Decimal) -> None:
        unit = units.describe_unit(indicator.unit)
        self.en = self._write(indicator, value, "en", unit.in_language("en") if unit else "")
        self.vi = self._write(indicator, value, "vi", unit.vi if unit else "")

    @staticmethod
    def _write(indicator: Indicator, value: Decimal, language: str, unit: str) -> str:
        number = figures.write_for_people(value, language)
        # A percent sign stands close to its number, every other unit after a space.
        joined = f"{number}{unit}" if unit in {"", "%"} else f"{number} {unit}"
        return f"{indicator.label_in(language)}: {joined}"
