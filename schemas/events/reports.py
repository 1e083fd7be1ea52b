"""The events that reporting publishes on `dondoc.reports.v1`: sealed reports, their documents, and evaluations.

The key of every record is `PLAN|PERIOD`. A sealed version is one `vn.dondoc.report.sealed.v1` after the parts of its
documents; reporting writes them in one transaction, so that a version is in the log whole or not at all. The topic
alone is enough to give every sealed document back byte for byte.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints

from schemas.plan.values import Identifier, Instant, MediaType, NonBlank

SEALED = "vn.dondoc.report.sealed.v1"
SEALED_DOCUMENT = "vn.dondoc.report.document.v1"
EVALUATED = "vn.dondoc.evaluation.recorded.v1"

Sha256Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
CheckCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}$")]
"""Twenty digits of Crockford's base 32, in groups of five."""

Partition = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]*)$")]
Offset = Annotated[int, Field(ge=0)]
VERSION_MAX = 10**9
PARTS_MAX = 100_000
Version = Annotated[int, Field(ge=1, le=VERSION_MAX)]


class ReportFormat(StrEnum):
    """The form of a sealed document. `figures` is the canonical JSON of all figures (RFC 8785)."""

    FIGURES = "figures"
    DOCX = "docx"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


class SealedDocument(BaseModel):
    """One document of a sealed version, by its digest."""

    model_config = ConfigDict(frozen=True)

    format: ReportFormat
    media_type: MediaType
    size: int = Field(ge=0)
    sha256: Sha256Hex


class SealedOffsets(BaseModel):
    """The offsets that a sealed version rests on: by topic and partition the offset behind the last record counted."""

    model_config = ConfigDict(frozen=True)

    facts: Mapping[Partition, Offset]
    deliveries: Mapping[Partition, Offset]
    reports: Mapping[Partition, Offset]


class SealHead(BaseModel):
    """What a seal vouches for: which version, who signed, what it rests on, and the digest of all figures.

    `at` is the instant asked about, `known_at` the one up to which recorded events count. `figures_sha256` is the
    digest of the canonical JSON of all figures (RFC 8785).
    """

    model_config = ConfigDict(frozen=True)

    plan: Identifier
    period: NonBlank
    version: Version
    signer: NonBlank
    sealed_at: Instant
    at: Instant
    known_at: Instant
    offsets: SealedOffsets
    plan_version: int = Field(ge=0)
    registry: Identifier
    registry_version: int = Field(ge=0)
    figures_sha256: Sha256Hex


class ReportSealed(SealHead):
    """A version of the report of a plan and period was frozen and signed for.

    `check_code` is made from the members of the head, and so covers every figure. The documents print it; their own
    digests can therefore be no part of it.
    """

    documents: tuple[SealedDocument, ...]
    check_code: CheckCode


class SealedDocumentPart(BaseModel):
    """A part of a document of a sealed version: `part` of `parts`, counted from 1, with its bytes in base 64."""

    model_config = ConfigDict(frozen=True)

    plan: Identifier
    period: NonBlank
    version: Version
    format: ReportFormat
    part: int = Field(ge=1, le=PARTS_MAX)
    parts: int = Field(ge=1, le=PARTS_MAX)
    content: Base64Bytes


class EvaluationRecorded(BaseModel):
    """An officer evaluated an agency's work in a period, beside the grade that the plan's rules give."""

    model_config = ConfigDict(frozen=True)

    plan: Identifier
    period: NonBlank
    agency: Identifier
    grade: NonBlank
    sentence: str
    evaluated_by: NonBlank


def report_key(plan: str, period: str) -> str:
    """Return the key of the records about the report of *plan* for *period*."""
    return f"{plan}|{period}"
