"""The fields that a person fills in for a report: those of every submitted event, and those that the plan asks for.

Report sheets and the web form have the same fields under the same keys, for example `document.number` and
`indicators.entrusted`. How a field looks is decided there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from schemas.content import units
from schemas.content.compiled_parts import RequestedPart
from schemas.content.requested_content import RequestedContent, RequestedFigure, RequestedSection
from schemas.plan.indicators import Indicator
from schemas.plan.plan import Requirements, SectionRequirement
from schemas.plan.values import Bilingual
from schemas.problems import pointer_of
from services.intake.core.forms import number_parsing

NO_TEXT = Bilingual.of(en="", vi="")
PROOFS = {
    "none": Bilingual.of(en="none", vi="không có"),
    "postmark": Bilingual.of(en="postmark", vi="dấu bưu điện"),
    "exchange-log": Bilingual.of(en="log of the document exchange", vi="nhật ký trục liên thông văn bản"),
    "mail-gateway": Bilingual.of(en="receiving mail gateway", vi="cổng thư điện tử bên nhận"),
}
WHOLE_NUMBER = Bilingual.of(en="a whole number", vi="số nguyên")
FILE_TYPE_NAMES = {
    "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "application/vnd.oasis.opendocument.text": "ODT",
    "application/vnd.oasis.opendocument.spreadsheet": "ODS",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
}


class FieldType(Enum):
    """The type of a field's value."""

    TEXT = "text"
    LONG_TEXT = "long-text"
    DAY = "day"
    MOMENT = "moment"
    FIGURE = "figure"
    YES_NO = "yes-no"
    PROOF = "proof"
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field. If `is_required`, a report without it is incomplete, or not a report at all."""

    key: str
    kind: FieldType
    label: Bilingual
    hint: Bilingual = NO_TEXT
    is_required: bool = False
    unit: Bilingual | None = None
    is_whole: bool = False
    low: Decimal | None = None
    high: Decimal | None = None


def build_fields(
    requires: Requirements, requested: RequestedContent, parts: Iterable[RequestedPart] = ()
) -> tuple[FormField, ...]:
    """Return the fields of every report, then the *requested* sections and figures, its *parts*, and the files last."""
    return (
        *_document_fields(requires),
        *_CONTENT_FIELDS,
        *(_section_field(one) for one in requested.sections),
        *(_figure_field(one) for one in requested.figures),
        *(_part_field(one) for one in parts),
        _files_field(requires),
    )


def event_pointer(key: str) -> str:
    """Return the JSON pointer into the event at which the value of the field *key* stands."""
    head, _, rest = key.partition(".")
    match head:
        case "sections" | "indicators" | "parts":
            return pointer_of("data", "content", head, rest)
        case "attachments" if rest:
            return pointer_of("data", head, int(rest) - 1)
        case _:
            return pointer_of("data", head, *([rest] if rest else []))


def key_at(pointer: str) -> str:
    """Return the key of the field that *pointer* belongs to; `attachments` for any of the files, "" for no field."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    match parts:
        case ["data", "attachments", *_]:
            return "attachments"
        case ["data", "content", ("sections" | "indicators" | "parts") as head, name, *_]:
            return f"{head}.{name}"
        case ["data", head, *rest]:
            return ".".join([head, *rest[:1]])
        case _:
            return ""


def key_of_missing(name: str) -> str:
    """Return the key of the field for a missing part that rules has named; a check belongs to no single field."""
    if name == "signed":
        return "document.signed_by"
    return "" if name.startswith("checks.") else name


def _document_fields(requires: Requirements) -> tuple[FormField, ...]:
    return (
        FormField(
            key="document.number",
            kind=FieldType.TEXT,
            label=Bilingual.of(en="Number and symbol of the document", vi="Số, ký hiệu văn bản"),
            hint=Bilingual.of(en="for example 123/BC-UBND", vi="ví dụ: 123/BC-UBND"),
            is_required=True,
        ),
        FormField(
            key="document.issued_on",
            kind=FieldType.DAY,
            label=Bilingual.of(en="Date of the document", vi="Ngày ban hành văn bản"),
            hint=Bilingual.of(en="as it stands on the document", vi="ngày ghi trên văn bản"),
            is_required=True,
        ),
        FormField(
            key="document.signed_by",
            kind=FieldType.TEXT,
            label=Bilingual.of(en="Signed by", vi="Người ký"),
            hint=Bilingual.of(en="full name and office", vi="họ tên, chức vụ"),
            is_required=requires.signed,
        ),
        FormField(key="document.title", kind=FieldType.TEXT, label=Bilingual.of(en="Title", vi="Trích yếu nội dung")),
    )


_CONTENT_FIELDS = (
    FormField(
        key="content.figures_as_of",
        kind=FieldType.DAY,
        label=Bilingual.of(en="Figures as of", vi="Ngày chốt số liệu"),
        hint=Bilingual.of(en="the last day that the figures cover", vi="số liệu tính đến hết ngày nào"),
    ),
    FormField(
        key="content.nil_return",
        kind=FieldType.YES_NO,
        label=Bilingual.of(en="Nothing to report in this period", vi="Kỳ này không có nội dung phát sinh"),
        hint=Bilingual.of(
            en="if so, sections, figures and files may be left empty",
            vi="nếu đúng, không phải ghi nội dung, số liệu và tệp đính kèm",
        ),
    ),
)


def _section_field(requested: RequestedSection) -> FormField:
    return FormField(
        key=f"sections.{requested.section.id}",
        kind=FieldType.LONG_TEXT,
        label=_label_of(requested.section),
        is_required=requested.is_required,
    )


def _figure_field(requested: RequestedFigure) -> FormField:
    indicator = requested.indicator
    return FormField(
        key=f"indicators.{indicator.code}",
        kind=FieldType.FIGURE,
        label=_label_of(indicator),
        hint=_describe_figure(indicator),
        is_required=requested.is_required,
        unit=units.describe_unit(indicator.unit),
        is_whole=indicator.integer,
        low=indicator.min,
        high=indicator.max,
    )


def _part_field(requested: RequestedPart) -> FormField:
    en, vi = requested.name.in_language("en"), requested.name.vi
    return FormField(
        key=f"parts.{requested.agency}",
        kind=FieldType.YES_NO,
        label=Bilingual.of(en=f"Includes the report of {en}", vi=f"Đã tổng hợp báo cáo của {vi}"),
        is_required=requested.is_required,
    )


def _label_of(asked: SectionRequirement | Indicator) -> Bilingual:
    return Bilingual.of(en=asked.label_in("en"), vi=asked.label_in("vi"))


def _describe_figure(indicator: Indicator) -> Bilingual:
    """Return range and form of a figure: `từ 0 đến 100; số nguyên`."""
    limits: dict[str, list[str]] = {"en": [], "vi": []}
    for value, en, vi in ((indicator.min, "from", "từ"), (indicator.max, "to", "đến")):
        if value is not None:
            number = number_parsing.render_number(value)
            limits["en"].append(f"{en} {number.en}")
            limits["vi"].append(f"{vi} {number.vi}")
    form = WHOLE_NUMBER if indicator.integer else NO_TEXT
    return Bilingual.of(
        en="; ".join(part for part in (" ".join(limits["en"]), form.in_language("en")) if part),
        vi="; ".join(part for part in (" ".join(limits["vi"]), form.vi) if part),
    )


def _files_field(requires: Requirements) -> FormField:
    required = requires.attachments
    kinds = ", ".join(FILE_TYPE_NAMES.get(one, one) for one in required.media_types)
    kinds = f" ({kinds})" if kinds else ""
    hint = NO_TEXT
    if required.min:
        files = "1 file" if required.min == 1 else f"{required.min} files"
        hint = Bilingual.of(en=f"at least {files}{kinds}", vi=f"ít nhất {required.min} tệp{kinds}")
    return FormField(
        key="attachments",
        kind=FieldType.FILES,
        label=Bilingual.of(en="Attached files", vi="Tệp đính kèm"),
        hint=hint,
        is_required=required.min > 0,
    )
