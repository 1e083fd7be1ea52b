"""The form's handlers: show the duty, check the report that was filled in, submit it.

The link alone authorizes a request: there is no cookie and no session, and the server keeps no state between two
requests. A file that was uploaded with an earlier check returns as a signed description, so that it is not uploaded
again.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace

import msgspec

from schemas.content import units
from schemas.events.form_links import LinkKey
from schemas.events.signed_tokens import BadLink
from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from services.intake.asgi import Request, RequestRefusedError, Response
from services.intake.core.admission import AcceptedEvent
from services.intake.core.forms import form_fields, form_to_event
from services.intake.core.forms.form_fields import FieldType, FormField
from services.intake.core.forms.form_to_event import AttachedFile, FieldValue
from services.intake.core.problems import RequestProblem
from services.intake.form import form_state, pages, receipt_view, texts, uploads
from services.intake.form.attachments import AttachmentStore, StoreUnavailableError
from services.intake.form.concurrency_limit import ConcurrencyLimit
from services.intake.form.duty_view import DryRunStatus, FormDuty
from services.intake.form.form_state import FormState, UploadedFile
from services.intake.form.link_guard import OpenedDuty
from services.intake.form.metrics import FormMetrics, FormOutcome
from services.intake.form.submit_report import SubmitReport
from services.intake.form.uploads import PostedForm, UploadInspector
from services.intake.http.limits import InflightLimit
from services.runtime import attachment_store
from services.runtime.clock import Clock

FORM_PATH = "/form"
RECEIPT_PATH = "/form/receipt"
CHECK, SEND, SEND_ANYWAY = "check", "send", "send-anyway"

# A restarted store is available again by then.
RETRY_AFTER_SECONDS = 60

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FormHandlers:
    """Handles requests to the form of a duty that a link has opened."""

    key: LinkKey
    submit_report: SubmitReport
    attachments: AttachmentStore
    clock: Clock
    metrics: FormMetrics
    bytes_max: int
    timeout_seconds: float
    inflight_limit: InflightLimit
    limit: ConcurrencyLimit = field(default_factory=ConcurrencyLimit)
    inspector: UploadInspector = field(default_factory=UploadInspector)

    async def show(self, _request: Request, opened: OpenedDuty) -> Response:
        """Answer with the form, empty but for the day to which the plan asks for figures."""
        now = self.clock.now()
        before = await self.submit_report.current_status(opened.duty, now)
        self.metrics.count(FormOutcome.SHOWN)
        values = _first_values(opened.duty, before)
        return self._render(FormState(duty=opened.duty, now=now, before=before, values=values), opened)

    async def submit(self, request: Request, opened: OpenedDuty) -> Response:
        """Check the report, or submit it and redirect to its receipt, as the button that was pressed says."""
        async with (
            self.limit.hold_slot(str(opened.duty.key)),
            self._read_form(request) as form,
        ):
            received_at = self.clock.now()
            uploaded, errors = await self._store_files(form, opened)
        before = await self.submit_report.current_status(opened.duty, received_at)
        values = _last_values(form)
        state = FormState(duty=opened.duty, now=received_at, before=before, values=values, uploaded=uploaded)
        report = self._validate(state, errors, opened.corrects)
        if not isinstance(report, AcceptedEvent):
            return self._render_errors(state, report, opened)
        return await self._check_or_send(state, report, form.text("action"), opened)

    @asynccontextmanager
    async def _read_form(self, request: Request) -> AsyncIterator[PostedForm]:
        with self.inflight_limit.hold() as reserve:
            chunks = uploads.reserve_arriving(request.read_chunks(self.bytes_max), reserve)
            async with uploads.read_form(request, chunks, seconds=self.timeout_seconds) as form:
                yield form

    async def _check_or_send(
        self, state: FormState, report: AcceptedEvent, action: str, opened: OpenedDuty
    ) -> Response:
        """Send the report, unless it was only to be checked.

        An incomplete report, and one whose figures look like a slip, is shown once more before it is sent all the same.
        """
        if action == SEND_ANYWAY:
            return await self._send(state, report, opened)
        dry_run = await self.submit_report.dry_run_status(report, state.now)
        checked = replace(state, dry_run=dry_run, was_checked=True)
        checked = replace(checked, findings=self.submit_report.find_slips(state.duty, report, checked.due_at))
        is_incomplete = dry_run is not None and bool(dry_run.missing)
        if action == CHECK or is_incomplete or checked.findings:
            self.metrics.count(FormOutcome.INCOMPLETE if is_incomplete else FormOutcome.CHECKED)
            return self._render(checked, opened)
        return await self._send(state, report, opened)

    async def _send(self, state: FormState, report: AcceptedEvent, opened: OpenedDuty) -> Response:
        # Files first: a crash after this leaves files that no report names, never a report without its files.
        try:
            lost = await self.attachments.make_permanent([one.file for one in state.uploaded])
        except StoreUnavailableError:
            return self._render_errors(state, (_files_error(texts.CANNOT_SEND),), opened)
        if lost:
            remaining = tuple(one for one in state.uploaded if one.file not in lost)
            return self._render_errors(replace(state, uploaded=remaining), (_files_error(texts.FILE_LOST),), opened)
        signed = await self.submit_report.submit(report, state.now)
        self.metrics.count(FormOutcome.SENT)
        document = self.key.sign_document(signed, receipt_view.document_reference(bytes(report.event.raw_data)))
        return pages.redirect(opened.address(RECEIPT_PATH, r=signed, d=document))

    def _validate(
        self, state: FormState, errors: tuple[FieldError, ...], corrects: str | None
    ) -> AcceptedEvent | tuple[FieldError, ...]:
        """Return the report as an event, or its errors, those of its files (*errors*) included.

        It corrects the report that rules says is returned, else the one that the link names (*corrects*).
        """
        fields = state.duty.fields(state.due_at)
        data = form_to_event.build_report(
            state.duty.key,
            _answers(state.values, fields),
            files=[one.file for one in state.uploaded],
            zone=state.duty.zone,
            percents=frozenset(one.key for one in fields if one.unit == units.UNITS[units.PERCENT]),
        )
        if isinstance(data, tuple) or errors:
            return (*(data if isinstance(data, tuple) else ()), *errors)
        try:
            corrected = state.revision.submission if state.revision else corrects
            return self.submit_report.validate(state.duty, data | {"corrects": corrected} if corrected else data)
        except RequestRefusedError as error:
            if error.refusal.problem is not RequestProblem.INVALID:
                raise
            return error.refusal.errors

    async def _store_files(
        self, form: PostedForm, opened: OpenedDuty
    ) -> tuple[tuple[UploadedFile, ...], tuple[FieldError, ...]]:
        """Store the files of *form*; return all its files, those of earlier requests included, and the errors."""
        files: list[AttachedFile] = []
        errors: list[FieldError] = []
        for token in form.fields.get("kept", ()):
            earlier = self._read_token(token, opened)
            if earlier is None:
                errors.append(_files_error(texts.FILE_LOST))
            else:
                files.append(earlier)
        for upload in form.files:
            file = await self.inspector.inspect(upload)
            if isinstance(file, Bilingual):
                errors.append(_files_error(file))
                continue
            try:
                await self.attachments.store_unsent(file, upload.content)
            except StoreUnavailableError:
                errors.append(_files_error(texts.CANNOT_KEEP))
                break  # each of the other files would wait for the same timeout
            files.append(replace(file, url=attachment_store.attachment_urn(file.sha256)))
        unique = {(file.sha256, file.name): file for file in files}
        return tuple(self._with_token(file, opened) for file in unique.values()), tuple(errors)

    def _read_token(self, token: str, opened: OpenedDuty) -> AttachedFile | None:
        try:
            return msgspec.convert(self.key.verify_file(opened.duty.key, token), AttachedFile)
        except (BadLink, msgspec.ValidationError):
            return None

    def _with_token(self, file: AttachedFile, opened: OpenedDuty) -> UploadedFile:
        return UploadedFile(file=file, token=self.key.sign_file(opened.duty.key, asdict(file)))

    def _render_errors(self, state: FormState, errors: tuple[FieldError, ...], opened: OpenedDuty) -> Response:
        """Return the form with the errors beside its fields, and everything that was filled in still in it."""
        state = replace(state, errors=errors)
        if any(error.detail in (texts.CANNOT_KEEP, texts.CANNOT_SEND) for error in errors):
            self.metrics.count(FormOutcome.UNKEPT)
            return pages.with_retry_after(self._render(state, opened, status=503), RETRY_AFTER_SECONDS)
        self.metrics.count(FormOutcome.FAULTY)
        return self._render(state, opened, status=422)

    def _render(self, state: FormState, opened: OpenedDuty, *, status: int = 200) -> Response:
        language = opened.language
        values = form_state.template_values(
            state,
            action=opened.address(FORM_PATH),
            other=opened.address(FORM_PATH, form_state.other_language(language)),
            limit_megabytes=self.bytes_max // _MEGABYTE,
        )
        return pages.render_page("form", language, status=status, **values)


def _files_error(detail: Bilingual) -> FieldError:
    return FieldError(pointer=form_fields.event_pointer("attachments"), detail=detail)


def _first_values(duty: FormDuty, before: DryRunStatus | None) -> dict[str, str]:
    """Return what the plan knows already: the last day that the figures are to cover."""
    window = duty.find_window(before.due_at if before else None)
    return {"content.figures_as_of": window.ends_on.isoformat()} if window else {}


def _last_values(form: PostedForm) -> dict[str, str]:
    return {name: values[-1] for name, values in form.fields.items()}


def _answers(values: Mapping[str, str], fields: tuple[FormField, ...]) -> dict[str, FieldValue]:
    return {one.key: values.get(one.key, "") for one in fields if one.kind is not FieldType.FILES}
