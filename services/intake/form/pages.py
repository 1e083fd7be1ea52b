"""Renders the form's pages: plain HTML without scripts, with headers that forbid every other content.

A page is never cached or framed, and its address, which holds the link, is never sent to another site as referrer.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec.structs import replace

from schemas.plan.values import Bilingual, Language
from services.intake.asgi import Request, Response
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.form import texts

HTML = b"text/html; charset=utf-8"
CSS = b"text/css; charset=utf-8"
STYLE_PATH = "/form/style.css"

# The address of a page holds the link, which is a capability: it must not be cached by a proxy, sent on as a referrer
# or indexed. The pages load nothing but their style sheet and cannot be framed (clickjacking).
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


# Advice for people in place of refusals whose wording is meant for programs.
_ADVICE = {
    RequestProblem.TOO_LARGE: [texts.TOO_LARGE],
    RequestProblem.UNREADABLE: [texts.UNREADABLE],
    RequestProblem.TOO_SLOW: [texts.UNREADABLE],
    RequestProblem.TOO_MANY_REQUESTS: [texts.TOO_MANY],
}


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("services.intake.form"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def language_of(request: Request) -> Language:
    """Return the language in the request's address: Vietnamese unless it is `lang=en`."""
    return "en" if request.query.get("lang", ["vi"])[-1] == "en" else "vi"


def page_address(path: str, query: Mapping[str, str], language: Language) -> str:
    """Return the address of a page of the form; Vietnamese is the default and needs no parameter."""
    parameters = {**query, "lang": language} if language == "en" else dict(query)
    return f"{path}?{urlencode(parameters)}"


def render_page(name: str, language: Language, *, status: int = 200, **values: object) -> Response:
    """Return the page rendered from the template *name* with *values*."""

    def text(name_or_text: Bilingual | str) -> str:
        text = texts.TEXTS[name_or_text] if isinstance(name_or_text, str) else name_or_text
        return text.in_language(language)

    context = {"language": language, "other": None, "text": text, "style": STYLE_PATH, **values}
    body = _environment().get_template(f"{name}.html").render(context).encode()
    return Response(
        status=status, body=body, media_type=HTML, headers=((b"content-language", language.encode()), *_HEADERS)
    )


def notice_page(notice: tuple[Bilingual, Bilingual], language: Language, *, status: int) -> Response:
    """Return a page with a heading and advice."""
    heading, advice = notice
    return render_page("notice", language, status=status, heading=heading, advice=[advice])


def refusal_page(refusal: Refusal, language: Language) -> Response:
    """Return the page for a refused request, with the advice that helps a person."""
    problem_type = refusal.problem.value
    advice = _ADVICE.get(refusal.problem) or [problem_type.title, refusal.detail]
    response = render_page("notice", language, status=problem_type.status, heading=texts.REFUSED, advice=advice)
    if refusal.retry_after_seconds is None:
        return response
    return with_retry_after(response, refusal.retry_after_seconds)


def with_retry_after(response: Response, seconds: int) -> Response:
    """Return *response* with a `Retry-After` header of *seconds*."""
    return replace(response, headers=(*response.headers, (b"retry-after", b"%d" % seconds)))


def redirect(target: str) -> Response:
    """Return a redirect (303), so that reloading the target page does not submit the form again."""
    return Response(status=303, body=b"", media_type=HTML, headers=((b"location", target.encode()), *_HEADERS))


def download(body: bytes, media_type: bytes, filename: str) -> Response:
    """Return a file for the browser to save as *filename*."""
    disposition = (b"content-disposition", f'attachment; filename="{filename}"'.encode())
    return Response(status=200, body=body, media_type=media_type, headers=(disposition, *_HEADERS))


async def get_style(_request: Request) -> Response:
    """Answer with the style sheet of the pages."""
    body = resources.files("services.intake.form").joinpath("templates/style.css").read_bytes()
    headers = ((b"cache-control", b"public, max-age=3600"), (b"x-content-type-options", b"nosniff"))
    return Response(status=200, body=body, media_type=CSS, headers=headers)
