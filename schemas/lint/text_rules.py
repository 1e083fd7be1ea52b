"""Rules for the texts of a plan or registry: no invisible characters, and names of a length that fits a page."""

from collections.abc import Iterator

from schemas.lint.diagnostics import Finding
from schemas.lint.document_tree import Node
from schemas.text import normal_form

NAME_MAX = 300
"""Characters of a name or a title. The longest name of an agency that we know has 90."""

# Texts that people write in lines; the other ones are names, titles and ids.
_LINES = frozenset({"quote", "note", "message", "act", "cel"})
_LINE_ENDS = str.maketrans("", "", "\n\t")


def check_texts(document: Node) -> Iterator[Finding]:
    """Yield every text of *document* that holds invisible characters, and every name that is too long."""
    if isinstance(document.value, dict):
        for key in document.value:
            yield from check_texts(document[key])
    for member in document.each():
        yield from check_texts(member)
    if document.text:
        yield from _check_text(document)


def _check_text(node: Node) -> Iterator[Finding]:
    has_lines = not _LINES.isdisjoint(node.path)
    unseen = normal_form.find_unseen(node.text.translate(_LINE_ENDS) if has_lines else node.text)
    if unseen is not None:
        yield node.finding(f"holds the invisible character {unseen}; write the text anew without it")
    if not has_lines and len(node.text) > NAME_MAX:
        yield node.finding(f"is too long for a name: {len(node.text)} characters, at most {NAME_MAX}")
