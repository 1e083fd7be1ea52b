"""YAML text as plain values, with the line on which each of them stands. It refuses to know what the values mean.

Dates stay text here, so that `2026-02-30` is a wrong date with a line and not a broken file; quotes make no difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode

from schemas.faults import DocumentPath

_TIMESTAMP_TAG = "tag:yaml.org,2002:timestamp"


class NotYaml(ValueError):  # noqa: N818 - it reads as a claim about the text
    """The text is not YAML; `line` is where reading stopped."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


class _DatesAsText(RoundTripConstructor):
    """Leaves timestamps to the models, which know what a date may be."""


def _as_text(constructor: RoundTripConstructor, node: ScalarNode) -> str:
    return str(constructor.construct_scalar(node))


_DatesAsText.add_constructor(_TIMESTAMP_TAG, _as_text)


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlSource:
    """One parsed YAML document."""

    content: object
    root: object

    def line_of(self, path: DocumentPath) -> int:
        """Return the line (from 1) of the value at *path*, or of the nearest enclosing one where it is missing."""
        node, line = self.root, 1
        for step in path:
            found = _position(node, step)
            if found is None:
                break
            line, node = found
        return line


def read(text: str) -> YamlSource:
    """Return the document in *text*; raise `NotYaml` with the line where it is none."""
    yaml = YAML(typ="rt")
    yaml.Constructor = _DatesAsText
    try:
        root = yaml.load(text)
    except MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        raise NotYaml(mark.line + 1 if mark else 1, _problem(cause)) from cause
    except YAMLError as cause:
        raise NotYaml(1, str(cause)) from cause
    return YamlSource(content=_plain(root), root=root)


def _problem(error: MarkedYAMLError) -> str:
    return "not YAML: " + " ".join(part for part in (error.context, error.problem) if part)


def _position(node: object, step: str | int) -> tuple[int, object] | None:
    """Return the line and the node of one key or index, or nothing where the node has none of it."""
    if isinstance(node, CommentedMap) and step in node:
        line = node.lc.key(step)[0] if step in (node.lc.data or {}) else node.lc.line
        return line + 1, node[step]
    if isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
        return node.lc.item(step)[0] + 1, node[step]
    return None


def _plain(node: object) -> object:
    match node:
        case Mapping():
            return {_plain(key): _plain(value) for key, value in node.items()}
        case list():
            return [_plain(one) for one in node]
        case bool() | None:
            return node
        case int():
            return int(node)
        case float():
            return float(node)
        case _:
            return str(node)
