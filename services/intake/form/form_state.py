"""A form as it is being filled in: what was written, what is wrong with it, what rules would say; ready to be drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.events.assessments import Status
from services.intake.core.forms import date_parsing, form_fields
from services.intake.core.forms.form_fields import FieldType, FormField
from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.core.problems import FieldError, Language, Said
from services.intake.form import texts
from services.intake.form.duty_view import FormDuty, DryRunStatus

KEY_PREFIXES_BY_HEADING = {
    "document": ("document",),
    "content": ("content", "sections"),
    "figures": ("indicators",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file that was uploaded before, and the signed description under which it comes back."""

    file: AttachedFile
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledField:
    """A question with what was written, and what is wrong with that."""

    question: FormField
    value: str
    faults: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """One form. `before` is how the duty stands without it, `verdict` what rules would say with it, if asked."""

    duty: FormDuty
    now: datetime
    before: DryRunStatus | None
    values: Mapping[str, str]
    kept: tuple[UploadedFile, ...] = ()
    faults: tuple[FieldError, ...] = ()
    verdict: DryRunStatus | None = None
    was_checked: bool = False

    @property
    def due_at(self) -> datetime | None:
        """When the duty falls due, as far as rules has said."""
        known = self.verdict or self.before
        return known.due_at if known else None

    def deadline(self) -> Said | None:
        """Return the deadline in plain words, and how far off it is."""
        if self.due_at is None:
            return None
        day = date_parsing.render_deadline(self.due_at, self.duty.zone)
        far = date_parsing.render_time_left(self.due_at, self.duty.zone, self.now)
        return Said(vi=f"{day.vi}, {far.vi}", en=f"{day.en}, {far.en}")

    def groups(self) -> list[tuple[str, list[FilledField]]]:
        """Return the fields under their headings; a heading without fields is left out."""
        asked = self.duty.questions(self.due_at)
        found = []
        for heading, heads in KEY_PREFIXES_BY_HEADING.items():
            fields = [self._field(one) for one in asked if one.key.partition(".")[0] in heads]
            if fields:
                found.append((heading, fields))
        return found

    def files(self) -> FilledField:
        """Return the question about files."""
        wanted = next(one for one in self.duty.questions(self.due_at) if one.kind is FieldType.FILES)
        return self._field(wanted)

    def told_faults(self) -> list[tuple[str, Said]]:
        """Return every fault with the field to go to."""
        labels = {one.key: one.label for one in self.duty.questions(self.due_at)}
        told = []
        for fault in self.faults:
            key = form_fields.key_at(fault.pointer)
            label = labels.get(key)
            said = fault.detail
            if label is not None:
                said = Said(vi=f"{label.vi}: {said.vi}", en=f"{label.en}: {said.en}")
            told.append((key, said))
        return told

    def lacking(self) -> list[tuple[str, Said]]:
        """Return what the report still lacks, with the field to go to."""
        return self.duty.lacking(self.verdict.missing, self.due_at) if self.verdict else []

    def timing(self) -> Said | None:
        """Say whether a complete report would be in time."""
        if self.verdict is None or self.verdict.due_at is None:
            return None
        return texts.TEXTS["in_time" if self.now < self.verdict.due_at else "too_late"]

    def notices(self) -> list[Said]:
        """Return what the reporter should know before writing anything."""
        if self.before is None:
            return []
        if self.before.status in texts.NOT_OWED:
            return [texts.NOT_OWED[self.before.status]]
        if self.before.submissions < 2:  # noqa: PLR2004 - the empty report that was asked with is one of them
            return []
        is_incomplete = self.before.status in {Status.INCOMPLETE, Status.OPEN}
        return [texts.TEXTS["on_file_incomplete" if is_incomplete else "on_file_complete"]]

    def _field(self, question: FormField) -> FilledField:
        faults = tuple(one.detail for one in self.faults if form_fields.key_at(one.pointer) == question.key)
        return FilledField(question=question, value=self.values.get(question.key, ""), faults=faults)


def template_values(filling: FormState, *, action: str, other: str, limit_megabytes: int) -> dict[str, object]:
    """Return what the template of the form is drawn from; *action* is where it posts to, *other* the other language."""
    return {
        "duty": filling.duty,
        "filling": filling,
        "action": action,
        "other": other,
        "kinds": _with_size(texts.TEXTS["kinds"], limit_megabytes),
        "accept": ",".join(sorted(form_fields.FILE_TYPE_NAMES)),
        "faults": filling.told_faults(),
        "lacking": filling.lacking(),
    }


def _with_size(said: Said, megabytes: int) -> Said:
    return Said(vi=said.vi.format(size=megabytes), en=said.en.format(size=megabytes))


def other_language(language: Language) -> Language:
    """Return the language that the page is not in."""
    return "vi" if language == "en" else "en"
