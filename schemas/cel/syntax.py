"""The syntax of CEL: an expression as text becomes a tree of nodes. What names and functions mean is not known here.

The grammar is that of the language definition (github.com/google/cel-spec, `doc/langdef.md`), without the parts that a
condition on a report has no use for: bytes, messages and optional values. A number is one kind: `1`, `1u` and `1.0`.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

TEXT_MAX = 4_096
"""Characters of an expression. The longest in a plan that we know has 130."""

DEPTH_MAX = 60
"""Levels of nesting. Each takes a few frames of Python's stack when it is compiled, which holds a thousand."""

NUMBER_MAX = 100
"""Characters of a number in an expression."""

_EXPONENT_MAX = 999  # as in the figures of a report

MACROS = {"all": (2,), "exists": (2,), "exists_one": (2,), "filter": (2,), "map": (2, 3)}
"""The macros that go through a list or the keys of a map, and the numbers of arguments they may have."""


class InvalidExpression(ValueError):  # noqa: N818 - it reads as a claim about the input
    """The text is no expression that can be evaluated. Correct it at `line` and `column`, counted from 1."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Decimal | str | bool | None


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list in brackets."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map in braces."""

    entries: tuple[tuple["Node", "Node"], ...]


@dataclass(frozen=True, slots=True)
class Index:
    """An item of a list or a map. `a.b` is `a["b"]`."""

    operand: "Node"
    key: "Node"


@dataclass(frozen=True, slots=True)
class Has:
    """The macro `has(a.b)`: whether the map has that key."""

    operand: "Node"
    key: str


@dataclass(frozen=True, slots=True)
class Unary:
    """A `!` or a `-` before its operand."""

    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands with operators of one precedence between them, from left to right: `a + b - c`, `a && b && c`."""

    first: "Node"
    rest: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """The operator `test ? yes : no`."""

    test: "Node"
    yes: "Node"
    no: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """A function; what it is called on, if anything, is the first argument."""

    function: str
    arguments: tuple["Node", ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Comprehension:
    """A macro that binds a variable to each item of a list or each key of a map. `map` has a transform."""

    macro: str
    operand: "Node"
    variable: str
    condition: "Node | None"
    transform: "Node | None"


Node = Literal | Variable | ListOf | MapOf | Index | Has | Unary | Chain | Conditional | Call | Comprehension

_GRAMMAR = r"""
    ?start: expression
    ?expression: either | either "?" either ":" expression -> conditional
    ?either: both | both (OR both)+ -> chain
    ?both: relation | relation (AND relation)+ -> chain
    ?relation: sum | sum (COMPARISON sum)+ -> chain
    ?sum: product | product ((PLUS | MINUS) product)+ -> chain
    ?product: unary | unary (TIMES unary)+ -> chain
    ?unary: member | NOT unary -> unary | MINUS unary -> unary
    ?member: primary
        | member "." NAME -> select
        | member "." NAME "(" [expression ("," expression)*] ")" -> method
        | member "[" expression "]" -> index
    ?primary: "(" expression ")"
        | NAME -> name
        | NAME "(" [expression ("," expression)*] ")" -> function
        | "[" [expression ("," expression)*] [","] "]" -> list
        | "{" [entry ("," entry)*] [","] "}" -> map
        | NUMBER -> number
        | STRING -> string
        | RAW -> raw
        | CONSTANT -> constant
    entry: expression ":" expression

    OR: "||"
    AND: "&&"
    COMPARISON: "<=" | "<" | ">=" | ">" | "==" | "!=" | /in(?![A-Za-z0-9_])/
    PLUS: "+"
    MINUS: "-"
    TIMES: "*" | "/" | "%"
    NOT: "!"
    CONSTANT.2: /(true|false|null)(?![A-Za-z0-9_])/
    NAME: /(?!in(?![A-Za-z0-9_]))[A-Za-z_][A-Za-z0-9_]*/
    NUMBER: /0[xX][0-9a-fA-F]+[uU]?|([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?[uU]?/
    STRING: /"(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])*'/
    RAW.2: /[rR]("[^"\n]*"|'[^'\n]*')/
    COMMENT: /\/\/[^\n]*/
    %ignore COMMENT
    %ignore /\s+/
"""
_PARSER = lark.Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)

_Branch = lark.Tree[lark.Token]

_ESCAPE = re.compile(r"""\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))""", re.DOTALL)
_ESCAPED = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip


_SURROGATES = range(0xD800, 0xE000)  # half characters of UTF-16


def parse(text: str) -> Node:
    """Return the tree of *text*; raise `InvalidExpression` if it is too long, nested too deeply or not CEL."""
    if len(text) > TEXT_MAX:
        raise InvalidExpression(f"the condition is too long: {len(text)} characters, at most {TEXT_MAX}")
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as cause:
        raise _translate_error(text, cause) from cause
    _refuse_deep_tree(tree)
    return _build(tree)


def _refuse_deep_tree(tree: _Branch) -> None:
    """Refuse a tree of more than `DEPTH_MAX` levels, such as that of 100 signs of negation; without recursion."""
    level = [tree]
    for _ in range(DEPTH_MAX):
        level = [child for one in level for child in one.children if isinstance(child, lark.Tree)]
    if level:
        raise InvalidExpression(f"the condition is nested too deeply; it may have {DEPTH_MAX} levels")


def _translate_error(text: str, cause: UnexpectedInput) -> InvalidExpression:
    match cause:
        case UnexpectedToken(token=lark.Token(type="$END")):
            line, column = _place_of(text, len(text))
            return InvalidExpression("the condition ends too early", line=line, column=column)
        case UnexpectedToken(token=token):
            return InvalidExpression(f"{str(token)[:20]!r} is not expected here", line=token.line, column=token.column)
        case UnexpectedCharacters(char=char, line=line, column=column):
            return InvalidExpression(f"{char!r} is not expected here", line=line, column=column)
        case _:
            return InvalidExpression("not an expression")


def _place_of(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def _build(tree: _Branch) -> Node:  # noqa: C901 - one case for each rule of the grammar
    children = tree.children
    match tree.data:
        case "number" | "string" | "raw" | "constant":
            return Literal(_read_literal(tree.data, _token(children[0])))
        case "name":
            return Variable(str(children[0]))
        case "list":
            return ListOf(_build_all(children))
        case "map":
            return MapOf(tuple((_node(one.children[0]), _node(one.children[1])) for one in _branches(children)))
        case "select":
            return Index(_node(children[0]), Literal(str(children[1])))
        case "index":
            return Index(_node(children[0]), _node(children[1]))
        case "unary":
            return Unary(str(children[0]), _node(children[1]))
        case "chain":
            operators, operands = children[1::2], _build_all(children[::2])
            return Chain(operands[0], tuple(zip(map(str, operators), operands[1:], strict=True)))
        case "conditional":
            return Conditional(*_build_all(children))
        case "function":
            return _build_call(_token(children[0]), _build_all(children[1:]))
        case _:
            return _build_method(_node(children[0]), _token(children[1]), _build_all(children[2:]))


def _build_call(name: lark.Token, arguments: tuple[Node, ...]) -> Node:
    if name != "has":
        return Call(str(name), arguments, *_place(name))
    match arguments:
        case [Index(operand=operand, key=Literal(value=str(key)))]:
            return Has(operand, key)
        case _:
            raise _invalid(name, "has() takes a field, such as has(indicators.loans)")


def _build_method(operand: Node, name: lark.Token, arguments: tuple[Node, ...]) -> Node:
    if name not in MACROS:
        if operand == Variable("math"):
            return Call(f"math.{name}", arguments, *_place(name))
        return Call(str(name), (operand, *arguments), *_place(name))
    if len(arguments) not in MACROS[name]:
        raise _invalid(name, f"{name}() takes a name and an expression, such as list.{name}(x, x > 0)")
    match arguments:
        case [Variable(name=variable), transform] if name == "map":
            return Comprehension("map", operand, variable, None, transform)
        case [Variable(name=variable), condition, *transform]:
            return Comprehension(str(name), operand, variable, condition, transform[0] if transform else None)
        case _:
            raise _invalid(name, f"the first argument of {name}() is the name that it gives to each item")


def _build_all(children: Sequence[_Branch | lark.Token]) -> tuple[Node, ...]:
    return tuple(_build(one) for one in _branches(children))


def _branches(children: Sequence[_Branch | lark.Token]) -> list[_Branch]:
    return [one for one in children if isinstance(one, lark.Tree)]


def _node(child: _Branch | lark.Token) -> Node:
    return _build_all([child])[0]


def _token(child: _Branch | lark.Token) -> lark.Token:
    assert isinstance(child, lark.Token)  # noqa: S101 - by the grammar
    return child


def _read_literal(kind: str, token: lark.Token) -> Decimal | str | bool | None:
    match kind:
        case "constant":
            return {"true": True, "false": False, "null": None}[token]
        case "number":
            return _read_number(token)
        case "raw":
            return str(token)[2:-1]
        case _:
            return _ESCAPE.sub(lambda found: _unescape(token, found), str(token)[1:-1])


def _read_number(token: lark.Token) -> Decimal:
    text = token.rstrip("uU")
    if len(text) > NUMBER_MAX:
        raise _invalid(token, f"the number is too long; it may have {NUMBER_MAX} characters")
    number = Decimal(int(text, 16)) if text[:2] in ("0x", "0X") else Decimal(text)
    if number and abs(number.adjusted()) > _EXPONENT_MAX:
        raise _invalid(token, f"the exponent is too large; it may be {_EXPONENT_MAX}")
    return number


def _unescape(token: lark.Token, found: re.Match[str]) -> str:
    byte, short, long, octal, letter = found.groups()
    if letter is not None:
        if letter not in _ESCAPED:
            raise _invalid(token, f"\\{letter} is no escape sequence; for a backslash write two")
        return _ESCAPED[letter]
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    if code > sys.maxunicode or code in _SURROGATES:
        raise _invalid(token, f"{found[0]} is no character")
    return chr(code)


def _invalid(token: lark.Token, message: str) -> InvalidExpression:
    line, column = _place(token)
    return InvalidExpression(message, line=line, column=column)


def _place(token: lark.Token) -> tuple[int, int]:
    return token.line or 1, token.column or 1
