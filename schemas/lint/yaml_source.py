"""Read YAML text as plain values, each with its line. This module does not know what the values mean.

It reads the composed nodes instead of constructed objects. So dates stay text, and `2026-02-30` is a wrong date with a
line instead of an unreadable file; a duplicate key is a finding like any other; and every key keeps its own line.
All text is brought into Unicode NFC, as the text of all events is, with Đ for the letters that look like it.

A document costs no more than its length: its size, its depth and what aliases repeat have bounds.
"""

import re
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import Event
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from schemas.lint.diagnostics import DocumentPath, Finding
from schemas.text import normal_form

CHARS_MAX = 20_000_000
"""Characters of a document. A registry of 10,000 agencies has about 5,000,000."""

LEVELS_MAX = 40
"""Levels of mappings and sequences. A plan has eleven."""

VALUES_MAX = 1_000_000
"""Keys and values of a document, each of which takes some 80 microseconds. The same registry has 300,000."""

_LONG_TAG = re.compile(r"(?<![^\s,\[{])![^\s]{1000}")
"""A tag of more than 1,000 characters, which the parser would read in quadratic time."""

_NUMBER_CHARS_MAX = 400  # what is longer is no number that anybody means, and Python would not print it

REPEATED_MAX = 20_000
"""Values that aliases repeat. Ten lines of aliases of aliases can stand for 10^9 values."""

_TAG = "tag:yaml.org,2002:"


class NotYaml(ValueError):  # noqa: N818 - it reads as a claim about the text
    """The text is no YAML mapping; `line` is where parsing stopped."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlSource:
    """One document: its plain values, the line of each, and findings for its duplicate keys."""

    content: object
    lines: dict[DocumentPath, int] = field(default_factory=dict)
    duplicates: tuple[Finding, ...] = ()

    def line_of(self, path: DocumentPath) -> int:
        """Return the line (from 1) of the value at *path*; if it is missing, that of the nearest enclosing value."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str) -> YamlSource:
    """Read the document in *text*; raise `NotYaml` with the line if it is no YAML mapping."""
    if len(text) > CHARS_MAX:
        raise NotYaml(1, f"the document is too large: {len(text)} characters, at most {CHARS_MAX}")
    long_tag = _LONG_TAG.search(text)
    if long_tag:
        raise NotYaml(text.count("\n", 0, long_tag.start()) + 1, "a tag is too long; it may have 1000 characters")
    parser = YAML(typ="safe", pure=True)
    parser.max_depth = LEVELS_MAX
    parser.Composer = _BoundedComposer  # type: ignore[assignment] # annotated as the class itself, not as its kind
    parser.composer.warn_double_anchors = False  # the later anchor counts from there on (YAML 1.2, section 3.2.2.2)
    try:
        root = parser.compose(text)
    except MaxDepthExceededError as cause:
        line = cause.problem_mark.line + 1
        raise NotYaml(line, f"nested too deeply; a document may have {LEVELS_MAX} levels") from cause
    except MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        problem = ", ".join(part for part in (cause.context, cause.problem) if part)
        raise NotYaml(mark.line + 1 if mark else 1, f"not YAML: {problem}") from cause
    except YAMLError as cause:
        raise NotYaml(1, f"not YAML: {str(cause).splitlines()[0]}") from cause
    if not isinstance(root, MappingNode):
        raise NotYaml(1, "no document here: a mapping of keys to values is wanted")
    return _YamlReader().source(root)


class _BoundedComposer(Composer):
    """Composes the nodes of a document, and refuses what would take too long."""

    def __init__(self, loader: YAML) -> None:
        super().__init__(loader)
        self._values = 0

    def compose_node(self, parent: Node | None, index: object) -> Node:
        self._values += 1
        event = self.parser.peek_event()
        if self._values > VALUES_MAX:
            raise NotYaml(_line(event), f"the document is too large; it may have {VALUES_MAX} keys and values")
        node: Node = super().compose_node(parent, index)
        return node


class _YamlReader:
    """Walks the nodes of one document once and collects lines and duplicates."""

    def __init__(self) -> None:
        self._lines: dict[DocumentPath, int] = {}
        self._duplicates: list[Finding] = []
        self._open: list[Node] = []
        self._met: set[int] = set()
        self._repeated = 0

    def source(self, root: MappingNode) -> YamlSource:
        content = self._read_value(root, ())
        return YamlSource(content=content, lines=self._lines, duplicates=tuple(self._duplicates))

    def _read_value(self, node: Node, path: DocumentPath) -> object:
        # YAML allows `a: &x [*x]`. Walking such a value would not end.
        if any(node is one for one in self._open):
            raise NotYaml(_line(node), "not YAML to build on: an anchor contains itself")
        if id(node) in self._met:
            self._repeated += 1
            if self._repeated > REPEATED_MAX:
                raise NotYaml(_line(node), f"aliases repeat too much; they may stand for {REPEATED_MAX} values")
        self._met.add(id(node))
        self._open.append(node)
        try:
            return self._read(node, path)
        finally:
            self._open.pop()

    def _read(self, node: Node, path: DocumentPath) -> object:
        if isinstance(node, MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._read_member(one, (*path, index)) for index, one in enumerate(node.value)]
        return _scalar_value(node)

    def _read_mapping(self, node: MappingNode, path: DocumentPath) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = normal_form.normalize(str(key_node.value))
            at = (*path, key)
            if key in found:
                message = f"stands twice; the first is at line {self._lines[at]}"
                self._duplicates.append(Finding(path=at, message=message, line=_line(key_node)))
                continue
            self._lines[at] = _line(key_node)
            found[key] = self._read_value(value_node, at)
        return found

    def _read_member(self, node: Node, path: DocumentPath) -> object:
        self._lines[path] = _line(node)
        return self._read_value(node, path)


def _line(node: Node | Event) -> int:
    return int(node.start_mark.line) + 1


def _scalar_value(node: Node) -> object:
    text = normal_form.normalize(str(node.value)).translate(normal_form.LIKE_D)
    try:
        return _parse_scalar(str(node.tag).removeprefix(_TAG), text)
    except ValueError:
        return text


def _parse_scalar(tag: str, text: str) -> object:
    match tag:
        case "int" | "float" if len(text) > _NUMBER_CHARS_MAX:
            return text
        case "null":
            return None
        case "bool":
            # YAML 1.2 has true and false only; `yes` and `no` are text (core schema, section 10.3.2).
            return text.lower() == "true"
        case "int":
            # Base 0 would refuse a leading zero, which the core schema allows: `007` is 7.
            return int(text.replace("_", ""), 0 if text.lstrip("+-").startswith(("0x", "0o")) else 10)
        case "float":
            return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        case _:
            return text
