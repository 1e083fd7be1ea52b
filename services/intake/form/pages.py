"""Drawing the form's pages: plain HTML that needs no script, and headers that let nothing else in.

A page is never kept by a cache, never framed, and tells no other site its address, which holds the link.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.intake.asgi import Request, Response
from services.intake.core.problems import Language, RequestProblem, Refusal, Said
from services.intake.form import texts

HTML = b"text/html; charset=utf-8"
CSS = b"text/css; charset=utf-8"
STYLE_PATH = "/form/style.css"
_HEADERS = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


_ADVICE = {
    RequestProblem.TOO_LARGE: [texts.TOO_LARGE],
    RequestProblem.UNREADABLE: [texts.UNREADABLE],
    RequestProblem.TOO_SLOW: [texts.UNREADABLE],
    RequestProblem.TOO_MANY_REQUESTS: [texts.TOO_MANY],
}
"""What a person is told where the words for programs would say little."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("services.intake.form"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def language_of(request: Request) -> Language:
    """Return the language that the address asks for: Vietnamese, unless it says English."""
    return "en" if request.query.get("lang", ["vi"])[-1] == "en" else "vi"


def page_address(path: str, query: Mapping[str, str], language: Language) -> str:
    """Return the address of a page of the form; Vietnamese needs no saying."""
    said = {**query, "lang": language} if language == "en" else dict(query)
    return f"{path}?{urlencode(said)}"


def render_page(name: str, language: Language, *, status: int = 200, **values: object) -> Response:
    """Return the page made of the template *name*."""

    def text(said: Said | str) -> str:
        return (texts.TEXTS[said] if isinstance(said, str) else said).in_language(language)

    shown = {"language": language, "other": None, "text": text, "style": STYLE_PATH, **values}
    body = _environment().get_template(f"{name}.html").render(shown).encode()
    return Response(
        status=status, body=body, media_type=HTML, headers=((b"content-language", language.encode()), *_HEADERS)
    )


def notice_page(said: tuple[Said, Said], language: Language, *, status: int) -> Response:
    """Return a page that says one thing and what to do about it."""
    heading, advice = said
    return render_page("notice", language, status=status, heading=heading, advice=[advice])


def refusal_page(refusal: Refusal, language: Language) -> Response:
    """Return the page for a request that cannot be taken now, or not like this."""
    kind = refusal.problem.value
    advice = _ADVICE.get(refusal.problem) or [kind.title, refusal.detail]
    made = render_page("notice", language, status=kind.status, heading=texts.REFUSED, advice=advice)
    if refusal.retry_after_seconds is None:
        return made
    return with_retry_after(made, refusal.retry_after_seconds)


def with_retry_after(made: Response, seconds: int) -> Response:
    """Return the page *made*, saying when it is worth trying again."""
    return replace(made, headers=(*made.headers, (b"retry-after", b"%d" % seconds)))


def redirect(target: str) -> Response:
    """Return the answer that sends the browser on, so that reloading sends nothing twice."""
    return Response(status=303, body=b"", media_type=HTML, headers=((b"location", target.encode()), *_HEADERS))


def download(body: bytes, media_type: bytes, filename: str) -> Response:
    """Return a file to keep."""
    named = (b"content-disposition", f'attachment; filename="{filename}"'.encode())
    return Response(status=200, body=body, media_type=media_type, headers=(named, *_HEADERS))


async def get_style(_request: Request) -> Response:
    """Answer with the style of the pages."""
    body = resources.files("services.intake.form").joinpath("templates/style.css").read_bytes()
    headers = ((b"cache-control", b"public, max-age=3600"), (b"x-content-type-options", b"nosniff"))
    return Response(status=200, body=body, media_type=CSS, headers=headers)
