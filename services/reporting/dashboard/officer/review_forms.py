"""What the forms show by which an officer answers a report: who may, what was typed, what is wrong, what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import quote

from schemas.events.ids import DutyKey
from schemas.plan.grading import GradeRule
from services.reporting.content.review_queries import DutyUnderReview

NO_PERIOD = "-"  # in a path


class ReviewKind(StrEnum):
    """Which of the forms: the value of its button."""

    RETURN = "return"
    ACCEPT = "accept"
    GRADE = "grade"

    @property
    def participle(self) -> str:
        """What was done, as the address of the page says it after a redirect."""
        return _PARTICIPLES[self]


_PARTICIPLES = {ReviewKind.RETURN: "returned", ReviewKind.ACCEPT: "accepted", ReviewKind.GRADE: "graded"}
DONE = frozenset(_PARTICIPLES.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAnswer:
    """A form that could not be recorded: which, what was typed, the errors beside its fields, and what to tell."""

    kind: ReviewKind
    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeChoice:
    """What the form to grade shows: the plan's grades, that by its rules with the reason, the one recorded last."""

    rules: Sequence[GradeRule]
    by_rules: str
    reason: str
    recorded: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewForms:
    """The forms about one duty. `grading` is None for a duty without a period, whose agency is graded nowhere.

    `opened_at` is part of the id of what is posted.
    """

    duty: DutyUnderReview
    form_token: str
    opened_at: datetime
    today: date
    has_key: bool
    grading: GradeChoice | None
    words: Mapping[str, str]
    language: str
    done: str = ""
    failed: FailedAnswer | None = None

    @property
    def action(self) -> str:
        """The address to which the forms post."""
        return f"{review_path(self.duty.line.key)}?lang={self.language}"

    def value(self, kind: ReviewKind, name: str, default: str = "") -> str:
        """Return what was typed into a field of the form *kind* that could not be recorded."""
        return self.failed.values.get(name, default) if self._is_failed(kind) and self.failed else default

    def error(self, kind: ReviewKind, name: str) -> str:
        """Return what is wrong with a field of the form *kind*."""
        return self.failed.errors.get(name, "") if self._is_failed(kind) and self.failed else ""

    def find_opened_at(self, kind: ReviewKind) -> str:
        """Return when the form *kind* was opened: one that failed stays the same form, so that it is recorded once."""
        stays = self._is_failed(kind) and not self.error(kind, "opened_at")
        return self.value(kind, "opened_at", self.opened_at.isoformat()) if stays else self.opened_at.isoformat()

    def is_open(self, kind: ReviewKind) -> bool:
        """Whether the form *kind* lies open: the one that failed, by default that to return a report."""
        return self._is_failed(kind) if self.failed is not None else kind is ReviewKind.RETURN

    def _is_failed(self, kind: ReviewKind) -> bool:
        return self.failed is not None and self.failed.kind is kind


def review_path(key: DutyKey) -> str:
    """Return the path of the page on which the reports of a duty are answered."""
    parts = (key.plan, key.agency, key.obligation, key.period or NO_PERIOD)
    return "/duties/" + "/".join(quote(part, safe="") for part in parts) + "/review"
