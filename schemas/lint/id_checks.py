"""Rules for ids: which are duplicates, which are unknown, and which known id was probably meant."""

from collections.abc import Collection, Iterable, Iterator

from schemas.lint.diagnostics import Finding, Severity
from schemas.lint.document_tree import Node
from schemas.text import comparison


def find_duplicates(nodes: Iterable[Node], severity: Severity = Severity.ERROR) -> Iterator[Finding]:
    """Yield a finding for every node whose text an earlier node has. Repetition that is harmless is a warning."""
    first: dict[str, Node] = {}
    for node in nodes:
        if node.text and first.setdefault(node.text, node) is not node:
            words = f"{node.text!r} is used twice; it stands already at {_place(first[node.text])}"
            yield node.finding(words, severity)


def find_unknown(node: Node, known: Collection[str], kind: str) -> Iterator[Finding]:
    """Yield a finding if the text of *node* is none of the *known* ids of that *kind*."""
    if node.text and node.text not in known:
        yield node.finding(f"unknown {kind} {node.text!r}{suggest(node.text, known)}")


def find_unlisted(node: Node, known: Collection[str]) -> Iterator[Finding]:
    """Yield a warning if *node* is none of the *known* agencies: a body that owes no report need not be listed."""
    if node.text and node.text not in known:
        yield node.warning(f"no agency of the registry is {node.text!r}{suggest(node.text, known)}")


def suggest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean …?" with the known word most like *word*, or an empty string if none is similar."""
    near = comparison.find_nearest(word, known)
    return f"; did you mean {near!r}?" if near else ""


def _place(node: Node) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in node.path).removeprefix(".")
