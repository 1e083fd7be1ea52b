"""What a person is asked for a report: the fields of the submitted event, and what the plan requires, as questions.

A report sheet and the web form ask the same questions under the same keys. How they look is theirs to decide.
"""

from dataclasses import dataclass
from enum import Enum

from schemas.plan.plan import IndicatorRequirement, Requirements, SectionRequirement
from services.intake.core.forms import number_parsing
from services.intake.core.problems import Said, pointer_of

NO_TEXT = Said(en="", vi="")
PROOFS = {
    "none": Said(en="none", vi="không có"),
    "postmark": Said(en="postmark", vi="dấu bưu điện"),
    "exchange-log": Said(en="log of the document exchange", vi="nhật ký trục liên thông văn bản"),
    "mail-gateway": Said(en="receiving mail gateway", vi="cổng thư điện tử bên nhận"),
}
UNITS = {
    "million_vnd": Said(en="million VND", vi="triệu đồng"),
    "billion_vnd": Said(en="billion VND", vi="tỷ đồng"),
    "vnd": Said(en="VND", vi="đồng"),
    "percent": Said(en="%", vi="%"),
    "household": Said(en="households", vi="hộ"),
    "households": Said(en="households", vi="hộ"),
}
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
    """What sort of answer a question wants."""

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
    """One question. `is_required` says that the report is not complete, or not a report, without an answer."""

    key: str
    kind: FieldType
    label: Said
    hint: Said = NO_TEXT
    is_required: bool = False
    unit: Said | None = None
    low: float | None = None
    high: float | None = None


def fields_of(requires: Requirements) -> tuple[FormField, ...]:
    """Return what is asked of every report, then what *requires* asks of this one, files last."""
    return (
        *_document_fields(requires),
        *_CONTENT_FIELDS,
        *(_section_field(one) for one in requires.sections),
        *(_indicator_field(one) for one in requires.indicators),
        _files_field(requires),
    )


def event_pointer(key: str) -> str:
    """Return where in the event the answer to *key* stands."""
    head, _, rest = key.partition(".")
    match head:
        case "sections" | "indicators":
            return pointer_of("data", "content", head, rest)
        case "attachments" if rest:
            return pointer_of("data", head, int(rest) - 1)
        case _:
            return pointer_of("data", head, *([rest] if rest else []))


def key_at(pointer: str) -> str:
    """Return the key of the question that the place *pointer* belongs to; of one of many files only `attachments`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    match parts:
        case ["data", "attachments", *_]:
            return "attachments"
        case ["data", "content", ("sections" | "indicators") as head, name, *_]:
            return f"{head}.{name}"
        case ["data", head, *rest]:
            return ".".join([head, *rest[:1]])
        case _:
            return ""


def key_of_missing(name: str) -> str:
    """Return the key of the question that answers what rules calls missing; a check belongs to no single one."""
    if name == "signed":
        return "document.signed_by"
    return "" if name.startswith("checks.") else name


def _document_fields(requires: Requirements) -> tuple[FormField, ...]:
    return (
        FormField(
            key="document.number",
            kind=FieldType.TEXT,
            label=Said(en="Number and symbol of the document", vi="Số, ký hiệu văn bản"),
            hint=Said(en="for example 123/BC-UBND", vi="ví dụ: 123/BC-UBND"),
            is_required=True,
        ),
        FormField(
            key="document.issued_on",
            kind=FieldType.DAY,
            label=Said(en="Date of the document", vi="Ngày ban hành văn bản"),
            hint=Said(en="as it stands on the document", vi="ngày ghi trên văn bản"),
            is_required=True,
        ),
        FormField(
            key="document.signed_by",
            kind=FieldType.TEXT,
            label=Said(en="Signed by", vi="Người ký"),
            hint=Said(en="full name and office", vi="họ tên, chức vụ"),
            is_required=requires.signed,
        ),
        FormField(key="document.title", kind=FieldType.TEXT, label=Said(en="Title", vi="Trích yếu nội dung")),
    )


_CONTENT_FIELDS = (
    FormField(
        key="content.figures_as_of",
        kind=FieldType.DAY,
        label=Said(en="Figures as of", vi="Ngày chốt số liệu"),
        hint=Said(en="the last day that the figures cover", vi="số liệu tính đến hết ngày nào"),
    ),
    FormField(
        key="content.nil_return",
        kind=FieldType.YES_NO,
        label=Said(en="Nothing to report in this period", vi="Kỳ này không có nội dung phát sinh"),
        hint=Said(
            en="if so, sections, figures and files may be left empty",
            vi="nếu đúng, không phải ghi nội dung, số liệu và tệp đính kèm",
        ),
    ),
)


def _section_field(wanted: SectionRequirement) -> FormField:
    return FormField(key=f"sections.{wanted.id}", kind=FieldType.LONG_TEXT, label=_title(wanted), is_required=True)


def _indicator_field(wanted: IndicatorRequirement) -> FormField:
    unit = None if wanted.unit is None else UNITS.get(wanted.unit, Said(en=wanted.unit, vi=wanted.unit))
    return FormField(
        key=f"indicators.{wanted.code}",
        kind=FieldType.FIGURE,
        label=_title(wanted),
        hint=_range(wanted.min, wanted.max),
        is_required=True,
        unit=unit,
        low=wanted.min,
        high=wanted.max,
    )


def _title(wanted: SectionRequirement | IndicatorRequirement) -> Said:
    return Said(en=wanted.label_in("en"), vi=wanted.label_in("vi"))


def _range(low: float | None, high: float | None) -> Said:
    en, vi = [], []
    if low is not None:
        said = number_parsing.render_number(low)
        en.append(f"from {said.en}")
        vi.append(f"từ {said.vi}")
    if high is not None:
        said = number_parsing.render_number(high)
        en.append(f"to {said.en}")
        vi.append(f"đến {said.vi}")
    return Said(en=" ".join(en), vi=" ".join(vi))


def _files_field(requires: Requirements) -> FormField:
    wanted = requires.attachments
    kinds = ", ".join(FILE_TYPE_NAMES.get(one, one) for one in wanted.media_types)
    kinds = f" ({kinds})" if kinds else ""
    hint = NO_TEXT
    if wanted.min:
        files = "1 file" if wanted.min == 1 else f"{wanted.min} files"
        hint = Said(en=f"at least {files}{kinds}", vi=f"ít nhất {wanted.min} tệp{kinds}")
    return FormField(
        key="attachments",
        kind=FieldType.FILES,
        label=Said(en="Attached files", vi="Tệp đính kèm"),
        hint=hint,
        is_required=wanted.min > 0,
    )
