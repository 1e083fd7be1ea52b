"""`dondoc preview`: shows a letter of a plan as it would read: plain text, HTML, text messages."""

from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Literal

import typer

from schemas.events.deliveries import Channel
from schemas.plan import periods
from schemas.plan.values import Bilingual
from schemas.text import comparison
from services.console.commands.plans.sample_letters import LetterKind, LetterSampler, SampleLetter
from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.console.support.simulation import SimulationDocuments
from services.notifier.channels import email
from services.notifier.channels.email import MailHeaders
from services.notifier.core.rendering import officer_letter, render
from services.notifier.core.rendering.officer_letter import OfficerReading
from services.notifier.core.rendering.officers import Officer, OfficerBook
from services.notifier.core.rendering.render import RenderedMessage, RenderOptions, SmsLetters
from services.notifier.core.scheduling.routing import Digest, Language
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from services.runtime.clock import SystemClock

DIRECTORY = Path("deploy/plans/6766-kh-ubnd")
_SENDER, _RECIPIENT, _ID = "don-doc@dondoc.example", "nguoi-nhan@example", "<xem-truoc@dondoc.example>"
_YEARS_BACK = 10  # an agency that was merged away is previewed as it was
_OPENS, _CLOSES = time(7, 30), time(17, 30)

# Renders one letter for a channel, a text message in the given letters.
RenderMessage = Callable[[Channel, SmsLetters], RenderedMessage]


def preview(
    kind: Annotated[LetterKind, typer.Argument(help="What the letter tells.")],
    *,
    agency: Annotated[str, typer.Option(metavar="A", help="Whose report it is about.")],
    lang: Annotated[Literal["vi", "en"], typer.Option(help="The language of the letter.")] = "vi",
    plan: Annotated[Path, typer.Option(metavar="DIR", help="Folder with plan.yaml and registry.yaml.")] = DIRECTORY,
    obligation: Annotated[str | None, typer.Option(metavar="ID", help="Default: the first with reminders.")] = None,
    period: Annotated[str | None, typer.Option(metavar="P", help="Default: the first that is not over.")] = None,
    officers: Annotated[Path | None, typer.Option(metavar="F.yaml", help="As DONDOC_NOTIFIER_OFFICERS.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write a mail, a page and a text there instead.")
    ] = None,
) -> None:
    """Show a letter as it would read with invented events: text, HTML and text messages. Nothing is sent."""
    with output.exit_on_errors():
        catalogue = inputs.read_plan_folders([plan])[0]
        sampler = _choose_duties(catalogue, obligation, period, agency)
        documents = SimulationDocuments(catalogues={catalogue.plan.plan: catalogue}, opens=_OPENS, closes=_CLOSES)
        book = inputs.read_officers(officers)
        if kind is LetterKind.OFFICER_DIGEST:
            render_message, at = _prepare_digest(sampler, documents, book, lang)
        else:
            render_message, at = _prepare_letter(sampler.write(kind), documents, book, lang)
        mail = render_message(Channel.EMAIL, SmsLetters.UNACCENTED)
        text = f"{mail.subject}\n\n{mail.body}"
        messages = _render_messages(render_message)
        if out is None:
            typer.echo("\n".join((text, mail.html or "", messages)))
            return
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"{kind.value}.{lang}"
        _write_mail(path.with_name(f"{path.name}.eml"), mail, at, lang)
        path.with_name(f"{path.name}.html").write_text(mail.html or "", encoding="utf-8")
        path.with_name(f"{path.name}.txt").write_text(f"{text}\n{messages}", encoding="utf-8")
        output.print_message(Bilingual.of(en=f"the letter is in {out}", vi=f"thư nằm trong {out}"))


def _choose_duties(catalogue: DutyCatalogue, obligation: str | None, period: str | None, agency: str) -> LetterSampler:
    """Return the duties that the letter is about, the agency's own first."""
    if agency not in catalogue.agencies:
        nearest = comparison.find_nearest(agency, catalogue.agencies)
        hint, hint_vi = (f"; did you mean {nearest}?", f"; có phải {nearest}?") if nearest else ("", "")
        detail = Bilingual.of(
            en=f"the registry has no agency {agency}{hint}", vi=f"danh sách đơn vị không có “{agency}”{hint_vi}"
        )
        raise UnusableInputError(detail, place="--agency")
    reminded = [
        one.id for one in catalogue.plan.obligations if any(not each.reminders.is_empty for each in one.versions)
    ]
    chosen = obligation or next(iter(reminded), None)
    if chosen is None:
        detail = Bilingual.of(
            en="the plan has no obligation with reminders; name one with --obligation",
            vi="kế hoạch không có nhiệm vụ nào đặt lịch nhắc; hãy ghi tên một nhiệm vụ bằng --obligation",
        )
        raise UnusableInputError(detail)
    if catalogue.plan.obligation(chosen) is None:
        raise inputs.refuse_duty(catalogue.unknown_obligation(chosen))
    asked = period or _find_period(catalogue, chosen, agency)
    try:
        catalogue.duty(agency=agency, obligation=chosen, period=asked)
    except UnknownDuty as cause:
        raise inputs.refuse_duty(cause) from cause
    found = (catalogue.find_duty(agency=one, obligation=chosen, period=asked) for one in catalogue.agencies)
    owed = [one for one in found if one is not None and one.is_binding and one.due_at is not None]
    ordered = sorted(owed, key=lambda one: one.key.agency != agency)
    due_at = ordered[0].due_at if ordered else None
    if due_at is None or ordered[0].key.agency != agency:
        raise _refuse_undated(agency, chosen, asked)
    return LetterSampler(catalogue=catalogue, duties=tuple(ordered), due_at=due_at)


def _find_period(catalogue: DutyCatalogue, obligation: str, agency: str) -> str:
    """Return the period of the agency's next duty of this year that is due, or of the last one that it had."""
    now = SystemClock().now()
    for year in range(now.year, now.year - _YEARS_BACK, -1):
        within = catalogue.duties_within(periods.parse(str(year)))
        duties = [one for one in within if (one.key.agency, one.key.obligation) == (agency, obligation)]
        dated = [(one.due_at, one.key.period) for one in duties if one.due_at and one.key.period and one.is_binding]
        if dated:
            return next((period for due_at, period in sorted(dated) if due_at >= now), max(dated)[1])
    raise _refuse_undated(agency, obligation)


def _refuse_undated(agency: str, obligation: str, period: str = "") -> UnusableInputError:
    of_period, of_period_vi = (f" for {period}", f" kỳ {period}") if period else ("", "")
    return UnusableInputError(
        Bilingual.of(
            en=f"{agency} owes {obligation}{of_period} by no date; name another --agency, or a --period",
            vi=f"{agency} không có thời hạn gửi {obligation}{of_period_vi}; hãy chọn --agency khác hoặc ghi --period",
        )
    )


def _write_mail(path: Path, mail: RenderedMessage, at: datetime, language: Language) -> None:
    headers = MailHeaders(
        sender=_SENDER,
        sender_name="Đôn Đốc",
        recipient=_RECIPIENT,
        message_id=_ID,
        language=language,
        at=at,
        reply_to=mail.thread.reply_to if mail.thread else "",
        references=mail.thread.references if mail.thread else "",
    )
    path.write_bytes(email.write_mail(headers, mail))


def _render_messages(render_message: RenderMessage) -> str:
    """Return the text message in each choice of letters, with the number of its segments."""
    lines = []
    for letters in SmsLetters:
        sms = render_message(Channel.SMS, letters)
        lines.append(f"SMS ({letters.value}, {sms.segments}): {sms.body}\n")
    return "\n".join(lines)


def _prepare_letter(
    letter: SampleLetter, documents: SimulationDocuments, officers: OfficerBook, language: Language
) -> tuple[RenderMessage, datetime]:
    """Return what renders *letter*, and the instant at which it is written."""

    def render_message(channel: Channel, letters: SmsLetters) -> RenderedMessage:
        digest = Digest(to_agency=letter.to_agency, channel=channel, alerts=letter.alerts)
        options = RenderOptions(officers=officers, letters=letters)
        return render.render_digest(digest, documents, language=language, options=options, occasion=letter.occasion)

    return render_message, letter.occasion.now


def _prepare_digest(
    sampler: LetterSampler, documents: SimulationDocuments, officers: OfficerBook, language: Language
) -> tuple[RenderMessage, datetime]:
    """Return what renders a digest to the plan's officer, and the instant at which it is written."""
    sample = sampler.write_digest()
    officer = officers.get(sample.digest.week.plan) or Officer(name="…")
    reading = OfficerReading(officer=officer, now=sample.now, language=language)

    def render_message(channel: Channel, letters: SmsLetters) -> RenderedMessage:
        options = RenderOptions(letters=letters)
        return officer_letter.render_officer_digest(sample.digest, documents, reading, channel=channel, options=options)

    return render_message, sample.now
