"""Problem documents (RFC 9457): why an HTTP request was refused, and what would be accepted instead.

This module holds the values and their JSON; it knows no server and no request. A service declares its `ProblemType`s,
builds a `Problem` and sends `encode(...)` with `headers(...)` and the problem type's status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.plan.values import Bilingual, Language

MEDIA_TYPE = "application/problem+json"

# A sentence in both languages; or one that exists in a single language, such as the message of an exception.
Text = Bilingual | str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemType:
    """A problem type of the HTTP contract. Clients may rely on its URI and its status, not on its title."""

    slug: str
    status: int
    title: Bilingual

    @property
    def uri(self) -> str:
        """The `type` of the document: a relative reference under which the service describes the problem."""
        return f"/problems/{self.slug}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One error in a request: the JSON pointer (RFC 6901) of the place, and what to write instead."""

    pointer: str
    detail: Text

    def within(self, prefix: str) -> "FieldError":
        """Return the same error as seen from the document that holds this one at the pointer *prefix*."""
        return FieldError(pointer=prefix + self.pointer, detail=self.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One refused request: its type, a sentence about this occurrence, the errors found, and when to try again."""

    type: ProblemType
    detail: Text = ""
    errors: tuple[FieldError, ...] = ()
    instance: str | None = None
    retry_after_seconds: int | None = None


def document(problem: Problem, language: Language) -> dict[str, Any]:
    """Return the members of the problem document in *language*; an empty detail or error list is left out."""
    members: dict[str, Any] = {
        "type": problem.type.uri,
        "title": problem.type.title.in_language(language),
        "status": problem.type.status,
    }
    if problem.instance is not None:
        members["instance"] = problem.instance
    if problem.detail:
        members["detail"] = _translate(problem.detail, language)
    if problem.errors:
        members["errors"] = [
            {"pointer": one.pointer, "detail": _translate(one.detail, language)} for one in problem.errors
        ]
    return members


def encode(problem: Problem, language: Language) -> bytes:
    """Return the problem document in *language* as JSON."""
    return msgspec.json.encode(document(problem, language))


def headers(problem: Problem, language: Language) -> Mapping[str, str]:
    """Return the headers that go with the document: its type and language, and `retry-after` where there is one."""
    found = {"content-type": MEDIA_TYPE, "content-language": language}
    if problem.retry_after_seconds is not None:
        found["retry-after"] = str(problem.retry_after_seconds)
    return found


def pointer_of(*tokens: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of *tokens*: `/data/content/indicators/a~1b` for an indicator `a/b`."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def choose_language(accept_language: str, default: Language) -> Language:
    """Return whichever of `vi` and `en` an `Accept-Language` header weighs highest (RFC 9110 section 12.5.4).

    Of two with the same weight the first wins; *default* is returned if neither is acceptable.
    """
    chosen = default
    highest = 0.0
    for choice in accept_language.split(","):
        tag, _, parameters = choice.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _quality(parameters)
        # Strictly greater: of two with the same weight the first wins, and a language with weight 0 is not acceptable.
        if weight > highest and language in {"en", "vi"}:
            chosen, highest = ("vi" if language == "vi" else "en"), weight
    return chosen


def _translate(text: Text, language: Language) -> str:
    return text if isinstance(text, str) else text.in_language(language)


def _quality(parameters: str) -> float:
    """Return the `q` of one choice: 1 if it has none, 0 if its value is no number."""
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
