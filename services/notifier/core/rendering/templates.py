"""The templates: words and layouts as files, each language with its own. A value that a template lacks is an error.

One file holds the words of a letter, and is drawn twice: as plain text, and as HTML with every value escaped. The set
has one version, and each letter a digest of the files it is made of; the delivery's record keeps both with the text.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, meta

from services.notifier.core.rendering.letter import Letter
from services.notifier.core.scheduling.routing import Language

VERSION = 1
"""The version of the templates. A change of any file raises it; a contract test holds the two to each other."""

_PACKAGE, _FOLDER = "services.notifier", "templates"
_SMS = "sms"
_SUBJECT_LENGTH = 60  # letters that a list of mails shows on a phone
_BLANK_LINES = re.compile(r"\n\s*\n")
Layout = Literal["txt", "html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStamp:
    """Which words a message was made of: the template, the version of the set, and the digest of its files."""

    name: str
    version: int
    digest: str


def write_mail(letter: Letter, language: Language) -> tuple[str, str, str]:
    """Return subject, plain text and HTML of a letter."""
    name = f"{language}/{letter.template}.txt"
    plain = _load("txt", name)
    values = letter.values | {"subject": _choose_subject(_render_block(plain, "subject", letter.values))}
    text = _BLANK_LINES.sub("\n\n", plain.render(values)).strip()
    # "-- " keeps its space: it separates the signature (RFC 3676, section 4.3).
    return values["subject"], f"{text}\n", _load("html", name).render(values)


def write_sms(letter: Letter, language: Language, whom: str) -> list[str]:
    """Return the wordings of a text message to *whom*, from the fullest to the shortest."""
    template = _load("txt", f"{language}/{_SMS}.txt")
    rendered = _render_block(template, letter.template.replace("-", "_"), letter.values | {"whom": whom})
    return [" ".join(line.split()) for line in rendered.splitlines() if line.strip()]


@cache
def stamp(letter: str, language: Language, *, is_sms: bool) -> TemplateStamp:
    """Return what the record keeps of the template *letter*."""
    name = f"{language}/{_SMS if is_sms else letter}.txt"
    roots = (name,) if is_sms else (name, *(f"layout/{part}.{kind}" for part in ("mail", "parts") for kind in _LAYOUTS))
    digest = hashlib.sha256()
    for one in sorted({found for root in roots for found in _find_sources(root)}):
        digest.update(f"{one}\n{_read_source(one)}".encode())
    return TemplateStamp(name=f"{language}/{letter}", version=VERSION, digest=digest.hexdigest())


_LAYOUTS: tuple[Layout, ...] = ("txt", "html")


def _choose_subject(rendered: str) -> str:
    """Return the first subject that a phone shows whole, else the last one."""
    lines = [" ".join(line.split()) for line in rendered.splitlines() if line.strip()]
    return next((line for line in lines if len(line) <= _SUBJECT_LENGTH), lines[-1])


def _render_block(template: Template, block: str, values: dict[str, Any]) -> str:
    return "".join(template.blocks[block](template.new_context(values)))


@cache
def _load(layout: Layout, name: str) -> Template:
    return _environment(layout).get_template(name)


@cache
def _environment(layout: Layout) -> Environment:
    """Return the environment that draws the words in *layout*; the parts of the layout are known to every template."""
    # Plain text has no markup to escape; the same values are escaped in the other layout.
    environment = Environment(
        loader=PackageLoader(_PACKAGE, _FOLDER),
        autoescape=layout == "html",  # noqa: S701 - as said above
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters["dense"] = _drop_blank_lines
    environment.filters["spaced"] = _space_paragraphs
    environment.globals["layout"] = f"layout/mail.{layout}"
    parts = environment.get_template(f"layout/parts.{layout}").module
    names = [name for name in vars(parts) if not name.startswith("_")]
    environment.globals.update({name: getattr(parts, name) for name in names})
    return environment


def _drop_blank_lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in str(text).splitlines() if line.strip())


def _space_paragraphs(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", str(text)).strip()


def _read_source(name: str) -> str:
    environment = _environment("txt")
    source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr] # it has a loader
    return source


def _find_sources(name: str) -> set[str]:
    """Return *name* and the templates that it extends, by name; the layout is named by its variable and added apart."""
    parsed = _environment("txt").parse(_read_source(name))
    found = {one for one in meta.find_referenced_templates(parsed) if one is not None}
    return {name} | {inner for one in found for inner in _find_sources(one)}
