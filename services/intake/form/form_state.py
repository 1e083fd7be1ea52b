"""The state of a form: the values filled in, their errors and what rules would say; and the values for its template."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.content.figure_findings import FigureFinding
from schemas.events.assessments import Status
from schemas.plan.values import Bilingual, Language
from schemas.problems import FieldError
from services.intake.core.forms import date_parsing, form_fields
from services.intake.core.forms.form_fields import FieldType, FormField
from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.form import texts
from services.intake.form.duty_view import DryRunStatus, FormDuty, RequestedRevision

KEY_PREFIXES_BY_HEADING = {
    "document": ("document",),
    "content": ("content", "sections"),
    "figures": ("indicators",),
    "parts": ("parts",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file that is stored already, and the signed token in which its description returns with the next request."""

    file: AttachedFile
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledField:
    """A field with its value as filled in, and the errors in the value."""

    definition: FormField
    value: str
    errors: tuple[Bilingual, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """One form. `before` is the status of the duty without this report; `dry_run` that with it, if rules was asked.

    `findings` are figures that look like a slip.
    """

    duty: FormDuty
    now: datetime
    before: DryRunStatus | None
    values: Mapping[str, str]
    uploaded: tuple[UploadedFile, ...] = ()
    errors: tuple[FieldError, ...] = ()
    dry_run: DryRunStatus | None = None
    findings: tuple[FigureFinding, ...] = ()
    was_checked: bool = False

    @property
    def due_at(self) -> datetime | None:
        """When the duty falls due, if rules has answered."""
        known = self.dry_run or self.before
        return known.due_at if known else None

    @property
    def revision(self) -> RequestedRevision | None:
        """What the recipient asks for where it has returned the report."""
        return self.before.revision if self.before else None

    def respond_by(self) -> Bilingual | None:
        """Return until when the corrected report is asked for, in words."""
        if self.revision is None or self.revision.respond_by is None:
            return None
        return date_parsing.render_deadline(self.revision.respond_by, self.duty.zone)

    def deadline(self) -> Bilingual | None:
        """Return the due date and the time left until it, in words."""
        if self.due_at is None:
            return None
        day = date_parsing.render_deadline(self.due_at, self.duty.zone)
        left = date_parsing.render_time_left(self.due_at, self.duty.zone, self.now)
        return Bilingual.of(vi=f"{day.vi}, {left.vi}", en=f"{day.en}, {left.en}")

    def window(self) -> Bilingual | None:
        """Return the days that the figures are to cover, in words."""
        window = self.duty.find_window(self.due_at)
        return None if window is None else date_parsing.render_window(window)

    def groups(self) -> list[tuple[str, list[FilledField]]]:
        """Return the fields under their headings, without the headings that have no fields."""
        fields = self.duty.fields(self.due_at)
        groups = []
        for heading, prefixes in KEY_PREFIXES_BY_HEADING.items():
            group = [self._fill(one) for one in fields if one.key.partition(".")[0] in prefixes]
            if group:
                groups.append((heading, group))
        return groups

    def files(self) -> FilledField:
        """Return the field for files."""
        return self._fill(next(one for one in self.duty.fields(self.due_at) if one.kind is FieldType.FILES))

    def errors_with_labels(self) -> list[tuple[str, Bilingual]]:
        """Return for each error the key of its field and a sentence with the field's label."""
        labels = {one.key: one.label for one in self.duty.fields(self.due_at)}
        sentences = []
        for error in self.errors:
            key = form_fields.key_at(error.pointer)
            label = labels.get(key)
            sentence = _detail_of(error)
            if label is not None:
                sentence = Bilingual.of(vi=f"{label.vi}: {sentence.vi}", en=f"{label.en}: {sentence.en}")
            sentences.append((key, sentence))
        return sentences

    def missing_parts(self) -> list[tuple[str, Bilingual]]:
        """Return what the report still lacks: for each part the key of its field and its label."""
        return self.duty.describe_missing(self.dry_run.missing, self.due_at) if self.dry_run else []

    def finding_sentences(self) -> list[tuple[str, Bilingual]]:
        """Return for each finding the key of its field ("" for a ratio, which has none) and what it says."""
        keys = {one.key for one in self.duty.fields(self.due_at)}
        named = ((f"indicators.{one.code}", one.words) for one in self.findings)
        return [(key if key in keys else "", words) for key, words in named]

    def timing(self) -> Bilingual | None:
        """Return whether a complete report would be on time now; None if rules has not said when it is due."""
        if self.dry_run is None or self.dry_run.due_at is None:
            return None
        return texts.TEXTS["in_time" if self.now < self.dry_run.due_at else "too_late"]

    def notices(self) -> list[Bilingual]:
        """Return what the reporter should know before filling anything in."""
        if self.before is None:
            return []
        if self.before.status in texts.NOT_OWED:
            return [texts.NOT_OWED[self.before.status]]
        if self.revision is not None:
            return [texts.TEXTS["returned"]]
        if self.before.submissions < 2:  # noqa: PLR2004 - the empty report of the dry run itself is one of them
            return []
        is_incomplete = self.before.status in {Status.INCOMPLETE, Status.OPEN}
        return [texts.TEXTS["on_file_incomplete" if is_incomplete else "on_file_complete"]]

    def _fill(self, field: FormField) -> FilledField:
        errors = tuple(_detail_of(one) for one in self.errors if form_fields.key_at(one.pointer) == field.key)
        return FilledField(definition=field, value=self.values.get(field.key, ""), errors=errors)


def template_values(state: FormState, *, action: str, other: str, limit_megabytes: int) -> dict[str, object]:
    """Return the values for the template `form.html`.

    *action* is the address that the form posts to, *other* the address of the page in the other language.
    """
    return {
        "duty": state.duty,
        "state": state,
        "action": action,
        "other": other,
        "kinds": _with_size(texts.TEXTS["kinds"], limit_megabytes),
        "accept": ",".join(sorted(form_fields.FILE_TYPE_NAMES)),
        "errors": state.errors_with_labels(),
        "missing_parts": state.missing_parts(),
        "findings": state.finding_sentences(),
    }


def _detail_of(error: FieldError) -> Bilingual:
    return Bilingual.of(en=error.detail, vi=error.detail) if isinstance(error.detail, str) else error.detail


def _with_size(text: Bilingual, megabytes: int) -> Bilingual:
    return Bilingual.of(vi=text.vi.format(size=megabytes), en=text.in_language("en").format(size=megabytes))


def other_language(language: Language) -> Language:
    """Return the language that the page is not in."""
    return "vi" if language == "en" else "en"
