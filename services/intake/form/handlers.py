"""The form's handlers: show the duty, check what was filled in, take the report, show its receipt.

The link is the whole authority: no cookie, no session, nothing remembered between two requests. A file that came with
an earlier check comes back as a signed description, and is not uploaded again.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

import msgspec

from schemas.events.form_links import BadLink, LinkKey
from services.intake.asgi import RefusedError, Request, Response
from services.intake.cloudevents.validator import Accepted
from services.intake.core import form_fields, form_to_event
from services.intake.core.form_fields import Kind
from services.intake.core.form_to_event import Enclosed
from services.intake.core.problems import Finding, Problem, Said
from services.intake.form import attachments, form_state, pages, receipt_view, texts, uploads
from services.intake.form.attachments import Attachments, CannotKeepError
from services.intake.form.concurrency_limit import Places
from services.intake.form.form_state import Filling, Kept
from services.intake.form.link_guard import Opened
from services.intake.form.metrics import FormMetrics, Outcome
from services.intake.form.submit_report import Counter
from services.intake.form.uploads import Posted
from services.runtime.clock import Clock

FORM = "/form"
RECEIPT = "/form/receipt"
CHECK, SEND, SEND_ANYWAY = "check", "send", "send-anyway"
RETRY_AFTER_SECONDS = 60
"""A store that is started anew is there again by then."""

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FormHandlers:
    """What the form does with a duty that a link has opened."""

    key: LinkKey
    counter: Counter
    attachments: Attachments
    clock: Clock
    metrics: FormMetrics
    bytes_max: int
    patience_seconds: float
    places: Places = field(default_factory=Places)

    async def show(self, _request: Request, opened: Opened) -> Response:
        """Answer with the empty form."""
        now = self.clock.now()
        before = await self.counter.standing(opened.duty, now)
        self.metrics.count(Outcome.SHOWN)
        return self._drawn(Filling(duty=opened.duty, now=now, before=before, values={}), opened)

    async def take(self, request: Request, opened: Opened) -> Response:
        """Check what was filled in, or take it and answer with the way to its receipt."""
        async with (
            self.places.taken_by(str(opened.duty.key)),
            uploads.posted(request, self.bytes_max, seconds=self.patience_seconds) as form,
        ):
            received_at = self.clock.now()
            kept, faults = await self._files(form, opened)
        before = await self.counter.standing(opened.duty, received_at)
        filled = Filling(duty=opened.duty, now=received_at, before=before, values=_values(form), kept=kept)
        report = self._report(filled, faults)
        if not isinstance(report, Accepted):
            return self._faulty(filled, report, opened)
        return await self._judged(filled, report, form.text("action"), opened)

    async def _judged(self, filled: Filling, report: Accepted, action: str, opened: Opened) -> Response:
        verdict = None if action == SEND_ANYWAY else await self.counter.judged(report, filled.now)
        is_lacking = verdict is not None and bool(verdict.missing)
        if action == CHECK or is_lacking:
            self.metrics.count(Outcome.INCOMPLETE if is_lacking else Outcome.CHECKED)
            return self._drawn(replace(filled, verdict=verdict, was_checked=True), opened)
        return await self._entered(filled, report, opened)

    async def _entered(self, filled: Filling, report: Accepted, opened: Opened) -> Response:
        try:
            lost = await self.attachments.keep([one.file for one in filled.kept])
        except CannotKeepError:
            return self._faulty(filled, (_about_files(texts.CANNOT_SEND),), opened)
        if lost:
            there = tuple(one for one in filled.kept if one.file not in lost)
            return self._faulty(replace(filled, kept=there), (_about_files(texts.FILE_LOST),), opened)
        signed = await self.counter.enter(report, filled.now)
        self.metrics.count(Outcome.SENT)
        document = self.key.sign_document(signed, receipt_view.document_in(bytes(report.event.written_data)))
        return pages.elsewhere(opened.address(RECEIPT, r=signed, d=document))

    def _report(self, filled: Filling, faults: tuple[Finding, ...]) -> Accepted | tuple[Finding, ...]:
        asked = filled.duty.questions(filled.due_at)
        data = form_to_event.report(
            filled.duty.named,
            _given(filled.values, asked),
            enclosed=[one.file for one in filled.kept],
            zone=filled.duty.zone,
            percents=frozenset(one.key for one in asked if one.unit == form_fields.UNITS["percent"]),
        )
        if isinstance(data, tuple) or faults:
            return (*(data if isinstance(data, tuple) else ()), *faults)
        try:
            return self.counter.examine(filled.duty, data)
        except RefusedError as error:
            if error.refusal.problem is not Problem.INVALID:
                raise
            return error.refusal.findings

    async def _files(self, form: Posted, opened: Opened) -> tuple[tuple[Kept, ...], tuple[Finding, ...]]:
        files: list[Enclosed] = []
        faults: list[Finding] = []
        for token in form.fields.get("kept", ()):
            kept = self._kept_before(token, opened)
            if kept is None:
                faults.append(_about_files(texts.FILE_LOST))
            else:
                files.append(kept)
        for upload in form.files:
            file = await uploads.described(upload)
            if isinstance(file, Said):
                faults.append(_about_files(file))
                continue
            try:
                await self.attachments.put_by(file, upload.content)
            except CannotKeepError:
                faults.append(_about_files(texts.CANNOT_KEEP))
                break  # each of the others would wait as long
            files.append(replace(file, url=attachments.address_of(file.sha256)))
        once = {(file.sha256, file.name): file for file in files}
        return tuple(self._kept(file, opened) for file in once.values()), tuple(faults)

    def _kept_before(self, token: str, opened: Opened) -> Enclosed | None:
        try:
            return msgspec.convert(self.key.verify_file(opened.duty.key, token), Enclosed)
        except (BadLink, msgspec.ValidationError):
            return None

    def _kept(self, file: Enclosed, opened: Opened) -> Kept:
        return Kept(file=file, token=self.key.sign_file(opened.duty.key, asdict(file)))

    def _faulty(self, filled: Filling, faults: tuple[Finding, ...], opened: Opened) -> Response:
        """Draw the form with what is wrong beside it, and everything that was written still in it."""
        filled = replace(filled, faults=faults)
        if any(fault.detail in (texts.CANNOT_KEEP, texts.CANNOT_SEND) for fault in faults):
            self.metrics.count(Outcome.UNKEPT)
            return pages.later(self._drawn(filled, opened, status=503), RETRY_AFTER_SECONDS)
        self.metrics.count(Outcome.FAULTY)
        return self._drawn(filled, opened, status=422)

    def _drawn(self, filled: Filling, opened: Opened, *, status: int = 200) -> Response:
        language = opened.language
        values = form_state.page_values(
            filled,
            action=opened.address(FORM),
            other=opened.address(FORM, form_state.other_language(language)),
            limit_megabytes=self.bytes_max // _MEGABYTE,
        )
        return pages.page("form", language, status=status, **values)


def _about_files(said: Said) -> Finding:
    return Finding(pointer=form_fields.pointer("attachments"), detail=said)


def _values(form: Posted) -> dict[str, str]:
    return {name: values[-1] for name, values in form.fields.items()}


def _given(values: Mapping[str, str], asked: tuple[form_fields.Question, ...]) -> dict[str, form_to_event.Given]:
    return {one.key: values.get(one.key, "") for one in asked if one.kind is not Kind.FILES}
