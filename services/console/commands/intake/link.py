"""`dondoc link`: prints a link that opens the web form of one duty, for a person who has lost the one in the mail."""

from datetime import timedelta
from typing import Annotated

import typer

from schemas.events.form_links import DutyLink, LinkKey, form_url
from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.values import Bilingual
from services.console.support import inputs, output
from services.notifier.settings import NotifierSettings
from services.runtime.clock import clock_from

_NOT_SET_UP = Bilingual.of(
    en="set DONDOC_FORM_KEY, as intake has it, and DONDOC_FORM_URL or --url",
    vi="hãy đặt DONDOC_FORM_KEY như ở dịch vụ tiếp nhận, và DONDOC_FORM_URL hoặc --url",
)


def link(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Id of the plan.")],
    obligation: Annotated[str, typer.Argument(metavar="OBLIGATION", help="Id of the obligation.")],
    *,
    agency: Annotated[str, typer.Option(help="Id of the agency that owes the report.")],
    period: Annotated[str | None, typer.Option(help=f"{periods.FORMS}; none for a one-off.")] = None,
    days: Annotated[float, typer.Option(min=0.01, help="How long the link is good for.")] = 14,
    url: Annotated[str | None, typer.Option(help="Where people reach intake (default: DONDOC_FORM_URL).")] = None,
) -> None:
    """Print a link to the form, signed with DONDOC_FORM_KEY. Whoever has it can report for the agency."""
    with output.exit_on_errors():
        duty_period = None if period is None else inputs.read_period(period, "--period").text
        settings = NotifierSettings()
        base = url or (str(settings.form_url) if settings.form_url else None)
        if settings.form_key is None or base is None:
            raise inputs.UnusableInputError(_NOT_SET_UP)
        duty = DutyKey(plan=plan, agency=agency, obligation=obligation, period=duty_period)
        now = clock_from(settings.clock).now()
        expires_at = now + timedelta(days=days)
        signed = DutyLink(duty=duty, issued_at=now, expires_at=expires_at)
        token = LinkKey(settings.form_key.get_secret_value()).sign_link(signed)
        output.print_json({"link": form_url(base, token, "vi"), "expires_at": expires_at.isoformat("T", "seconds")})
