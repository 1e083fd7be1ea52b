"""The form's handlers: show the duty, check what was filled in, take the report, show its receipt.

The link is the whole authority: no cookie, no session, nothing remembered between two requests. A file that came with
an earlier check comes back as a signed description, and is not uploaded again.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

import msgspec

from schemas.events.form_links import BadLink, LinkKey
from services.intake.asgi import RequestRefusedError, Request, Response
from services.intake.core.admission import AcceptedEvent
from services.intake.core.forms import form_fields, form_to_event
from services.intake.core.forms.form_fields import FieldType
from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.core.problems import FieldError, RequestProblem, Said
from services.intake.form import attachments, form_state, pages, receipt_view, texts, uploads
from services.intake.form.attachments import AttachmentStore, StoreUnavailableError
from services.intake.form.concurrency_limit import ConcurrencyLimit
from services.intake.form.form_state import FormState, UploadedFile
from services.intake.form.link_guard import OpenedDuty
from services.intake.form.metrics import FormMetrics, FormOutcome
from services.intake.form.submit_report import SubmitReport
from services.intake.form.uploads import PostedForm
from services.runtime.clock import Clock

FORM_PATH = "/form"
RECEIPT_PATH = "/form/receipt"
CHECK, SEND, SEND_ANYWAY = "check", "send", "send-anyway"
RETRY_AFTER_SECONDS = 60
"""A store that is started anew is there again by then."""

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FormHandlers:
    """What the form does with a duty that a link has opened."""

    key: LinkKey
    counter: SubmitReport
    attachments: AttachmentStore
    clock: Clock
    metrics: FormMetrics
    bytes_max: int
    patience_seconds: float
    places: ConcurrencyLimit = field(default_factory=ConcurrencyLimit)

    async def show(self, _request: Request, opened: OpenedDuty) -> Response:
        """Answer with the empty form."""
        now = self.clock.now()
        before = await self.counter.standing(opened.duty, now)
        self.metrics.count(FormOutcome.SHOWN)
        return self._drawn(FormState(duty=opened.duty, now=now, before=before, values={}), opened)

    async def take(self, request: Request, opened: OpenedDuty) -> Response:
        """Check what was filled in, or take it and answer with the way to its receipt."""
        async with (
            self.places.hold_slot(str(opened.duty.key)),
            uploads.read_form(request, self.bytes_max, seconds=self.patience_seconds) as form,
        ):
            received_at = self.clock.now()
            kept, faults = await self._files(form, opened)
        before = await self.counter.standing(opened.duty, received_at)
        filled = FormState(duty=opened.duty, now=received_at, before=before, values=_last_values(form), kept=kept)
        report = self._report(filled, faults)
        if not isinstance(report, AcceptedEvent):
            return self._faulty(filled, report, opened)
        return await self._judged(filled, report, form.text("action"), opened)

    async def _judged(self, filled: FormState, report: AcceptedEvent, action: str, opened: OpenedDuty) -> Response:
        verdict = None if action == SEND_ANYWAY else await self.counter.judged(report, filled.now)
        is_lacking = verdict is not None and bool(verdict.missing)
        if action == CHECK or is_lacking:
            self.metrics.count(FormOutcome.INCOMPLETE if is_lacking else FormOutcome.CHECKED)
            return self._drawn(replace(filled, verdict=verdict, was_checked=True), opened)
        return await self._entered(filled, report, opened)

    async def _entered(self, filled: FormState, report: AcceptedEvent, opened: OpenedDuty) -> Response:
        try:
            lost = await self.attachments.keep([one.file for one in filled.kept])
        except StoreUnavailableError:
            return self._faulty(filled, (_files_error(texts.CANNOT_SEND),), opened)
        if lost:
            there = tuple(one for one in filled.kept if one.file not in lost)
            return self._faulty(replace(filled, kept=there), (_files_error(texts.FILE_LOST),), opened)
        signed = await self.counter.enter(report, filled.now)
        self.metrics.count(FormOutcome.SENT)
        document = self.key.sign_document(signed, receipt_view.document_reference(bytes(report.event.raw_data)))
        return pages.redirect(opened.address(RECEIPT_PATH, r=signed, d=document))

    def _report(self, filled: FormState, faults: tuple[FieldError, ...]) -> AcceptedEvent | tuple[FieldError, ...]:
        asked = filled.duty.questions(filled.due_at)
        data = form_to_event.build_report(
            filled.duty.named,
            _answers(filled.values, asked),
            enclosed=[one.file for one in filled.kept],
            zone=filled.duty.zone,
            percents=frozenset(one.key for one in asked if one.unit == form_fields.UNITS["percent"]),
        )
        if isinstance(data, tuple) or faults:
            return (*(data if isinstance(data, tuple) else ()), *faults)
        try:
            return self.counter.examine(filled.duty, data)
        except RequestRefusedError as error:
            if error.refusal.problem is not RequestProblem.INVALID:
                raise
            return error.refusal.errors

    async def _files(self, form: PostedForm, opened: OpenedDuty) -> tuple[tuple[UploadedFile, ...], tuple[FieldError, ...]]:
        files: list[AttachedFile] = []
        faults: list[FieldError] = []
        for token in form.fields.get("kept", ()):
            kept = self._kept_before(token, opened)
            if kept is None:
                faults.append(_files_error(texts.FILE_LOST))
            else:
                files.append(kept)
        for upload in form.files:
            file = await uploads.inspect_upload(upload)
            if isinstance(file, Said):
                faults.append(_files_error(file))
                continue
            try:
                await self.attachments.put_by(file, upload.content)
            except StoreUnavailableError:
                faults.append(_files_error(texts.CANNOT_KEEP))
                break  # each of the others would wait as long
            files.append(replace(file, url=attachments.attachment_urn(file.sha256)))
        once = {(file.sha256, file.name): file for file in files}
        return tuple(self._kept(file, opened) for file in once.values()), tuple(faults)

    def _kept_before(self, token: str, opened: OpenedDuty) -> AttachedFile | None:
        try:
            return msgspec.convert(self.key.verify_file(opened.duty.key, token), AttachedFile)
        except (BadLink, msgspec.ValidationError):
            return None

    def _kept(self, file: AttachedFile, opened: OpenedDuty) -> UploadedFile:
        return UploadedFile(file=file, token=self.key.sign_file(opened.duty.key, asdict(file)))

    def _faulty(self, filled: FormState, faults: tuple[FieldError, ...], opened: OpenedDuty) -> Response:
        """Draw the form with what is wrong beside it, and everything that was written still in it."""
        filled = replace(filled, faults=faults)
        if any(fault.detail in (texts.CANNOT_KEEP, texts.CANNOT_SEND) for fault in faults):
            self.metrics.count(FormOutcome.UNKEPT)
            return pages.with_retry_after(self._drawn(filled, opened, status=503), RETRY_AFTER_SECONDS)
        self.metrics.count(FormOutcome.FAULTY)
        return self._drawn(filled, opened, status=422)

    def _drawn(self, filled: FormState, opened: OpenedDuty, *, status: int = 200) -> Response:
        language = opened.language
        values = form_state.template_values(
            filled,
            action=opened.address(FORM_PATH),
            other=opened.address(FORM_PATH, form_state.other_language(language)),
            limit_megabytes=self.bytes_max // _MEGABYTE,
        )
        return pages.render_page("form", language, status=status, **values)


def _files_error(said: Said) -> FieldError:
    return FieldError(pointer=form_fields.event_pointer("attachments"), detail=said)


def _last_values(form: PostedForm) -> dict[str, str]:
    return {name: values[-1] for name, values in form.fields.items()}


def _answers(values: Mapping[str, str], asked: tuple[form_fields.FormField, ...]) -> dict[str, form_to_event.FieldValue]:
    return {one.key: values.get(one.key, "") for one in asked if one.kind is not FieldType.FILES}
