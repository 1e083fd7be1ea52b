"""What a person is asked for a report: the fields of the submitted event, and what the plan requires, as questions.

A report sheet and the web form ask the same questions under the same keys. How they look is theirs to decide.
"""

from dataclasses import dataclass
from enum import Enum

from schemas.plan.plan import IndicatorRequirement, Requirements, SectionRequirement
from services.intake.core import number_parsing
from services.intake.core.problems import Said, pointer_of

UNSAID = Said(en="", vi="")
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
FILE_KINDS = {
    "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "application/vnd.oasis.opendocument.text": "ODT",
    "application/vnd.oasis.opendocument.spreadsheet": "ODS",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
}


class Kind(Enum):
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
class Question:
    """One question. `is_needed` says that the report is not complete, or not a report, without an answer."""

    key: str
    kind: Kind
    label: Said
    hint: Said = UNSAID
    is_needed: bool = False
    unit: Said | None = None
    low: float | None = None
    high: float | None = None


def questions(requires: Requirements) -> tuple[Question, ...]:
    """Return what is asked of every report, then what *requires* asks of this one, files last."""
    return (
        *_of_document(requires),
        *_ABOUT,
        *(_section(one) for one in requires.sections),
        *(_indicator(one) for one in requires.indicators),
        _files(requires),
    )


def pointer(key: str) -> str:
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


def _of_document(requires: Requirements) -> tuple[Question, ...]:
    return (
        Question(
            key="document.number",
            kind=Kind.TEXT,
            label=Said(en="Number and symbol of the document", vi="Số, ký hiệu văn bản"),
            hint=Said(en="for example 123/BC-UBND", vi="ví dụ: 123/BC-UBND"),
            is_needed=True,
        ),
        Question(
            key="document.issued_on",
            kind=Kind.DAY,
            label=Said(en="Date of the document", vi="Ngày ban hành văn bản"),
            hint=Said(en="as it stands on the document", vi="ngày ghi trên văn bản"),
            is_needed=True,
        ),
        Question(
            key="document.signed_by",
            kind=Kind.TEXT,
            label=Said(en="Signed by", vi="Người ký"),
            hint=Said(en="full name and office", vi="họ tên, chức vụ"),
            is_needed=requires.signed,
        ),
        Question(key="document.title", kind=Kind.TEXT, label=Said(en="Title", vi="Trích yếu nội dung")),
    )


_ABOUT = (
    Question(
        key="content.figures_as_of",
        kind=Kind.DAY,
        label=Said(en="Figures as of", vi="Ngày chốt số liệu"),
        hint=Said(en="the last day that the figures cover", vi="số liệu tính đến hết ngày nào"),
    ),
    Question(
        key="content.nil_return",
        kind=Kind.YES_NO,
        label=Said(en="Nothing to report in this period", vi="Kỳ này không có nội dung phát sinh"),
        hint=Said(
            en="if so, sections, figures and files may be left empty",
            vi="nếu đúng, không phải ghi nội dung, số liệu và tệp đính kèm",
        ),
    ),
)


def _section(wanted: SectionRequirement) -> Question:
    return Question(key=f"sections.{wanted.id}", kind=Kind.LONG_TEXT, label=_title(wanted), is_needed=True)


def _indicator(wanted: IndicatorRequirement) -> Question:
    unit = None if wanted.unit is None else UNITS.get(wanted.unit, Said(en=wanted.unit, vi=wanted.unit))
    return Question(
        key=f"indicators.{wanted.code}",
        kind=Kind.FIGURE,
        label=_title(wanted),
        hint=_range(wanted.min, wanted.max),
        is_needed=True,
        unit=unit,
        low=wanted.min,
        high=wanted.max,
    )


def _title(wanted: SectionRequirement | IndicatorRequirement) -> Said:
    return Said(en=wanted.label_in("en"), vi=wanted.label_in("vi"))


def _range(low: float | None, high: float | None) -> Said:
    en, vi = [], []
    if low is not None:
        said = number_parsing.in_words(low)
        en.append(f"from {said.en}")
        vi.append(f"từ {said.vi}")
    if high is not None:
        said = number_parsing.in_words(high)
        en.append(f"to {said.en}")
        vi.append(f"đến {said.vi}")
    return Said(en=" ".join(en), vi=" ".join(vi))


def _files(requires: Requirements) -> Question:
    wanted = requires.attachments
    kinds = ", ".join(FILE_KINDS.get(one, one) for one in wanted.media_types)
    kinds = f" ({kinds})" if kinds else ""
    hint = UNSAID
    if wanted.min:
        files = "1 file" if wanted.min == 1 else f"{wanted.min} files"
        hint = Said(en=f"at least {files}{kinds}", vi=f"ít nhất {wanted.min} tệp{kinds}")
    return Question(
        key="attachments",
        kind=Kind.FILES,
        label=Said(en="Attached files", vi="Tệp đính kèm"),
        hint=hint,
        is_needed=wanted.min > 0,
    )
