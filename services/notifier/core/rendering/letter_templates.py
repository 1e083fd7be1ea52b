"""The templates of letters: loads them, and draws a mail as plain text and as HTML with every value escaped.

Most mails of a deadline night differ in whom they name and in their links alone. Such mails are drawn once, with marks
in these places, and each gets its own names and links: drawing takes ten times as long as putting them in.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, meta
from markupsafe import escape

Layout = Literal["txt", "html"]
LAYOUTS: tuple[Layout, ...] = ("txt", "html")
_PACKAGE, _FOLDER = "services.notifier", "templates"
_BLANK_LINES = re.compile(r"\n\s*\n")

# Of these a letter asks only whether they are there. A name that another one is compared with, such as `reader_brief`,
# is not among them.
_PERSONAL = ("reader", "agency", "link", "ack_link", "dashboard_link", "subject")
# From the private use area of Unicode: no document has it, and neither layout escapes it.
_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000([a-z_]+)\ue001")


def draw_mail(name: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the plain text and the HTML of the template *name* with *values*, which hold its subject, too."""
    used = _find_used(name)
    personal = {one: values[one] for one in _PERSONAL if one in used and values.get(one)}
    common = {one: value for one, value in values.items() if one in used and one not in personal}
    if not _is_hashable(common):
        return _draw(name, values)
    text, html = _draw_marked(name, frozenset(common.items()), tuple(personal))
    escaped = {one: str(escape(value)) for one, value in personal.items()}
    return _fill_marks(text, personal), _fill_marks(html, escaped)


def _fill_marks(drawn: str, values: Mapping[str, str]) -> str:
    return _MARKED.sub(lambda found: values.get(found[1], found[0]), drawn)


def render_block(layout: Layout, name: str, block: str, values: dict[str, Any]) -> str:
    """Return what one block of the template *name* says."""
    template = _load(layout, name)
    return "".join(template.blocks[block](template.new_context(values)))


def _is_hashable(values: Mapping[str, Any]) -> bool:
    """Whether *values* are no lists, which a letter about several reports has."""
    return not any(isinstance(one, list | dict) for one in values.values())


@lru_cache(maxsize=256)
def _draw_marked(name: str, common: frozenset[tuple[str, Any]], marked: tuple[str, ...]) -> tuple[str, str]:
    return _draw(name, dict(common) | {one: _MARK.format(one) for one in marked})


def _draw(name: str, values: Mapping[str, Any]) -> tuple[str, str]:
    text = _BLANK_LINES.sub("\n\n", _load("txt", name).render(values)).strip()
    # "-- " keeps its space: it separates the signature (RFC 3676, section 4.3).
    return f"{text}\n", _load("html", name).render(values)


@cache
def _find_used(name: str) -> frozenset[str]:
    """Return the names of the values that the mail of the template *name* uses, in either layout."""
    sources = (name, *(f"layout/{part}.{layout}" for part in ("mail", "parts") for layout in LAYOUTS))
    parsed = [_environment("txt").parse(read_source(one)) for root in sources for one in sorted(find_sources(root))]
    return frozenset().union(*map(meta.find_undeclared_variables, parsed))


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
        auto_reload=False,  # the files are part of the package
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


def read_source(name: str) -> str:
    """Return the text of the template *name*."""
    environment = _environment("txt")
    source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr] # it has a loader
    return source


def find_sources(name: str) -> set[str]:
    """Return *name* and the templates that it extends, by name; the layout is named by its variable and added apart."""
    parsed = _environment("txt").parse(read_source(name))
    found = {one for one in meta.find_referenced_templates(parsed) if one is not None}
    return {name} | {inner for one in found for inner in find_sources(one)}
