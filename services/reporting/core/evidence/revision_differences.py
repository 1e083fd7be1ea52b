"""What differs between two versions of a report: its document, its figures, its texts, its files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from services.reporting.core.evidence.duty_facts import ReportDetails


class ReportPart(StrEnum):
    """A part of a report that may differ."""

    NUMBER = "number"
    ISSUED_ON = "issued_on"
    SIGNED_BY = "signed_by"
    TITLE = "title"
    SENT_AT = "sent_at"
    NIL_RETURN = "nil_return"
    CUT_OFF = "figures_as_of"
    INDICATOR = "indicator"
    SECTION = "section"
    ATTACHMENT = "attachment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDifference:
    """A part that differs; `id` names the indicator, the section or the file. None is what a version does not have."""

    part: ReportPart
    id: str | None = None
    before: str | None
    after: str | None


def compare_reports(before: ReportDetails, after: ReportDetails) -> tuple[ReportDifference, ...]:
    """Return what differs between two versions, in the order in which a report is read."""
    return (*_compare_documents(before, after), *_compare_contents(before, after))


def count_equal_parts(before: ReportDetails, after: ReportDetails) -> int:
    """Return how many figures, texts and files are the same in both versions."""
    figures = sum(_is_same_figure(before.figures.get(code), one) for code, one in after.figures.items())
    sections = sum(before.sections.get(name) == one for name, one in after.sections.items())
    return (
        figures + sections + len({one.sha256 for one in before.attachments} & {one.sha256 for one in after.attachments})
    )


def _compare_documents(before: ReportDetails, after: ReportDetails) -> Iterator[ReportDifference]:
    members = (
        (ReportPart.NUMBER, before.number or None, after.number or None),
        (ReportPart.ISSUED_ON, before.issued_on, after.issued_on),
        (ReportPart.SIGNED_BY, before.signed_by, after.signed_by),
        (ReportPart.TITLE, before.title or None, after.title or None),
        (ReportPart.SENT_AT, before.sent_at, after.sent_at),
        (ReportPart.NIL_RETURN, before.is_nil_return, after.is_nil_return),
        (ReportPart.CUT_OFF, before.cut_off, after.cut_off),
    )
    for part, old, new in members:
        if old != new:
            yield ReportDifference(part=part, before=_write(old), after=_write(new))


def _compare_contents(before: ReportDetails, after: ReportDetails) -> Iterator[ReportDifference]:
    for code in _list_names(before.figures, after.figures):
        old, new = before.figures.get(code), after.figures.get(code)
        if not _is_same_figure(old, new):
            yield ReportDifference(part=ReportPart.INDICATOR, id=code, before=old, after=new)
    for name in _list_names(before.sections, after.sections):
        old, new = before.sections.get(name), after.sections.get(name)
        if old != new:
            yield ReportDifference(part=ReportPart.SECTION, id=name, before=old, after=new)
    # A file is its content: the same bytes under another name are the same file.
    olds, news = ({one.sha256: one.name for one in version.attachments} for version in (before, after))
    for sha256 in _list_names(olds, news):
        if (sha256 in olds) != (sha256 in news):
            yield ReportDifference(
                part=ReportPart.ATTACHMENT, id=sha256, before=olds.get(sha256), after=news.get(sha256)
            )


def _list_names(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before, *after)))


def _is_same_figure(before: str | None, after: str | None) -> bool:
    """Whether two figures are the same number, however it is written: `0.10` is `0.1`."""
    if before is None or after is None:
        return before == after
    try:
        return Decimal(before) == Decimal(after)
    except InvalidOperation:
        return before == after


def _write(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
