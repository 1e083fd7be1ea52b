"""Compile the content of the annual report: everything that a document prints, in print order, and every figure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from services.reporting.core.annual_report import AnnualReport
from services.reporting.core.report import outline as outlines
from services.reporting.core.report import words
from services.reporting.core.report.blocks import Appendix, Block, ReportChart, Table
from services.reporting.core.report.figures import ReportFigure
from services.reporting.core.report.inputs import ReportInputs, ReportSeal
from services.reporting.core.report.letterhead import Letterhead
from services.reporting.core.report.outline import Outline
from services.reporting.core.report.parts import (
    appendices,
    basis,
    discipline,
    evaluation,
    proposals,
    results,
    shortcomings,
)


class EmptyReportError(Exception):
    """Nobody owes anything in that period, so there is no report; check the period and the groups of the agencies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationNote:
    """What stands at the end of the last page: by what the figures can be verified; of a draft that it is one."""

    text: str
    check_code: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedReport:
    """The content of a report. Documents add layout, never a figure and never a sentence."""

    outline: Outline
    letterhead: Letterhead
    body: tuple[Block, ...]
    appendices: tuple[Appendix, ...]
    verification: VerificationNote

    @property
    def report(self) -> AnnualReport:
        """The duties."""
        return self.outline.report

    @property
    def figures(self) -> Mapping[str, ReportFigure]:
        """Every figure by its id."""
        return self.outline.figures

    @property
    def zone(self) -> ZoneInfo:
        """The plan's time zone."""
        return self.outline.zone

    @property
    def name(self) -> str:
        """The title of the document for its properties: kind and subject."""
        return f"Báo cáo {words.decapitalize(self.letterhead.subject)}"


def compile_content(inputs: ReportInputs) -> PrintedReport:
    """Compile the content of the report on *inputs*.

    Raises `EmptyReportError` where there is no duty at all: such a report would read as a clean bill.
    """
    if inputs.is_empty:
        raise EmptyReportError
    outline = outlines.build_outline(inputs)
    body = (
        basis.introduce(outline),
        *basis.build_basis(outline),
        *results.build_results(outline),
        *discipline.build_discipline(outline),
        *evaluation.build_evaluation(outline),
        *shortcomings.build_shortcomings(outline),
        *proposals.build_proposals(outline),
    )
    return PrintedReport(
        outline=outline,
        letterhead=outline.letterhead,
        body=tuple(_number_captions(body)),
        appendices=appendices.build_appendices(outline),
        verification=_build_verification(inputs, outline),
    )


def _number_captions(blocks: Iterable[Block]) -> Iterable[Block]:
    """Yield *blocks* with the tables and the charts numbered in the order in which they stand."""
    tables = charts = 0
    for block in blocks:
        match block:
            case Table():
                tables += 1
                yield replace(block, title=f"Bảng {tables}. {block.title}")
            case ReportChart():
                charts += 1
                yield replace(block, title=f"Hình {charts}. {block.title}")
            case _:
                yield block


def _build_verification(inputs: ReportInputs, outline: Outline) -> VerificationNote:
    seal, report = inputs.seal, inputs.report
    as_of = words.write_instant(report.as_of, outline.zone)
    known_at = words.write_instant(report.known_at, outline.zone)
    known = "cùng thời điểm" if known_at == as_of else known_at
    versions = (
        f"danh mục nhiệm vụ phiên bản {report.plan.version}, "
        f"danh sách đơn vị phiên bản {inputs.registry.registry.version}"
    )
    if seal is None:
        text = f"Dự thảo, chưa chốt số liệu: số liệu tính đến {as_of}, theo thông tin ghi nhận đến {known}; {versions}."
        return VerificationNote(text=text, check_code="", address="")
    text = _describe_seal(seal, as_of, known, versions)
    return VerificationNote(text=text, check_code=seal.check_code, address=seal.verification_address)


def _describe_seal(seal: ReportSeal, as_of: str, known: str, versions: str) -> str:
    return (
        f"Phiên bản {seal.version:02d}, số liệu tính đến {as_of}, theo thông tin ghi nhận đến {known}; {versions}. "
        "Quét mã hoặc tra cứu mã kiểm chứng để đối chiếu phiên bản, người ký, thời điểm ký và mã băm của tệp. Thay đổi "
        "sau thời điểm chốt chỉ được nêu ở phiên bản kế tiếp."
    )
