"""`dondoc preview`: writes each kind of letter of a plan as files to look at: mail, HTML, plain text, text messages."""

from datetime import time
from pathlib import Path
from typing import Annotated

import typer

from schemas.events.deliveries import Channel
from services.console.commands.plans.sample_letters import LetterSampler, SampleLetter
from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.console.support.simulation import SimulationDocuments
from services.notifier import officer_file
from services.notifier.channels import email
from services.notifier.channels.email import MailHeaders
from services.notifier.core.rendering import render
from services.notifier.core.rendering.render import RenderedMessage, RenderOptions, SmsLetters
from services.notifier.core.scheduling.digest import Digest
from services.notifier.core.scheduling.routing import Language
from services.notifier.officer_file import OfficerFileError
from services.rules.core.duty_catalogue import DutyCatalogue

_LANGUAGES: tuple[Language, ...] = ("vi", "en")
_SENDER, _RECIPIENT, _ID = "don-doc@dondoc.example", "nguoi-nhan@example", "<xem-truoc@dondoc.example>"
_OPENS, _CLOSES = time(7, 30), time(17, 30)


def preview(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with plan.yaml and registry.yaml.")],
    *,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files go; it is made if need be.")],
    period: Annotated[str, typer.Option(metavar="P", help="The period that the letters are about, such as 2026-Q3.")],
    obligation: Annotated[str | None, typer.Option(metavar="ID", help="Default: the first with reminders.")] = None,
    agency: Annotated[str | None, typer.Option(metavar="ID", help="Who reads. Default: the first that owes.")] = None,
    officers: Annotated[Path | None, typer.Option(metavar="F.yaml", help="As DONDOC_NOTIFIER_OFFICERS.")] = None,
) -> None:
    """Write every kind of letter of a plan, as it would read with invented events. Nothing is sent."""
    with output.exit_on_errors():
        catalogue = inputs.read_plan_folders([directory])[0]
        sampler = _choose_duties(catalogue, obligation, period, agency)
        try:
            options = RenderOptions(officers=officer_file.load_officers(officers))
        except OfficerFileError as cause:
            raise UnusableInputError(str(cause)) from cause
        documents = SimulationDocuments(catalogues={catalogue.plan.plan: catalogue}, opens=_OPENS, closes=_CLOSES)
        out.mkdir(parents=True, exist_ok=True)
        for letter in sampler.list_letters():
            for language in _LANGUAGES:
                _write_files(out / f"{letter.name}.{language}", letter, documents, language=language, options=options)
        output.print_message(f"letters are in {out}")


def _choose_duties(catalogue: DutyCatalogue, obligation: str | None, period: str, agency: str | None) -> LetterSampler:
    """Return the duties that the letters are about, the agency's own first."""
    reminded = [
        one.id for one in catalogue.plan.obligations if any(not each.reminders.is_empty for each in one.versions)
    ]
    chosen = obligation or next(iter(reminded), None)
    if chosen is None:
        raise UnusableInputError("the plan has no obligation with reminders; name one with --obligation")
    found = (catalogue.find_duty(agency=one, obligation=chosen, period=period) for one in catalogue.agencies)
    owed = [one for one in found if one is not None and one.is_binding and one.due_at is not None]
    ordered = sorted(owed, key=lambda one: one.key.agency != agency)
    if not ordered or (agency is not None and ordered[0].key.agency != agency):
        raise UnusableInputError(f"{agency or 'nobody'} owes {chosen} for {period} by a date")
    due_at = ordered[0].due_at
    if due_at is None:
        raise UnusableInputError(f"{chosen} for {period} has no date")
    return LetterSampler(catalogue=catalogue, duties=tuple(ordered), due_at=due_at)


def _write_files(
    path: Path, letter: SampleLetter, documents: SimulationDocuments, *, language: Language, options: RenderOptions
) -> None:
    mail = _render(letter, documents, Channel.EMAIL, language=language, options=options)
    headers = MailHeaders(
        sender=_SENDER,
        sender_name="Đôn Đốc",
        recipient=_RECIPIENT,
        message_id=_ID,
        language=language,
        at=letter.occasion.now,
        reply_to=mail.thread.reply_to if mail.thread else "",
        references=mail.thread.references if mail.thread else "",
    )
    path.with_name(f"{path.name}.eml").write_bytes(email.write_mail(headers, mail))
    path.with_name(f"{path.name}.html").write_text(mail.html or "", encoding="utf-8")
    texts = [f"{mail.subject}\n\n{mail.body}"]
    for letters in SmsLetters:
        given = RenderOptions(officers=options.officers, letters=letters)
        sms = _render(letter, documents, Channel.SMS, language=language, options=given)
        texts.append(f"SMS ({letters.value}, {sms.segments}): {sms.body}\n")
    path.with_name(f"{path.name}.txt").write_text("\n".join(texts), encoding="utf-8")


def _render(
    letter: SampleLetter,
    documents: SimulationDocuments,
    channel: Channel,
    *,
    language: Language,
    options: RenderOptions,
) -> RenderedMessage:
    digest = Digest(to_agency=letter.to_agency, channel=channel, alerts=letter.alerts)
    return render.render_digest(digest, documents, language=language, options=options, occasion=letter.occasion)
