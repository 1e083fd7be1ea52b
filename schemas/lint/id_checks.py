"""Ids that must be told apart within a document, and ids that must be known: which is used twice, which was meant."""

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from schemas.lint.diagnostics import Finding, Severity
from schemas.lint.document_tree import Node


def find_duplicates(nodes: Iterable[Node], severity: Severity = Severity.ERROR) -> Iterator[Finding]:
    """Yield every node whose text another one before it already has; a warning where saying it twice does no harm."""
    first: dict[str, Node] = {}
    for node in nodes:
        if node.text and first.setdefault(node.text, node) is not node:
            words = f"{node.text!r} is used twice; it stands already at {_place(first[node.text])}"
            yield node.finding(words, severity)


def find_unknown(node: Node, known: Collection[str], kind: str) -> Iterator[Finding]:
    """Yield *node* where its text is none of the *known* ids of that *kind*."""
    if node.text and node.text not in known:
        yield node.finding(f"unknown {kind} {node.text!r}{suggest(node.text, known)}")


def find_unlisted(node: Node, known: Collection[str]) -> Iterator[Finding]:
    """Yield an advice where *node* is none of the *known* agencies, which a body that owes nothing need not be."""
    if node.text and node.text not in known:
        yield node.warning(f"no agency of the registry is {node.text!r}{suggest(node.text, known)}")


def suggest(word: str, known: Iterable[str]) -> str:
    """Return the question after the nearest known word, or nothing where none is near."""
    near = get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _place(node: Node) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in node.path).removeprefix(".")
