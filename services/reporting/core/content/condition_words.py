"""The condition of a grade in words, and the values that it looks at: `days_late <= 7` is "trễ không quá 7 ngày"."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import assert_never

from schemas.cel import compiler, syntax
from schemas.cel.compiler import Scope
from schemas.cel.syntax import Call, Chain, Comprehension, Conditional, Has, Index, ListOf, Literal, MapOf, Node, Unary
from schemas.cel.syntax import Variable as Name
from schemas.cel.values import Value
from schemas.events.assessments import Status
from schemas.plan import figures
from schemas.plan.values import Bilingual
from services.reporting.core import labels

_NAMES = {
    "status": Bilingual(vi="tình trạng", en="the status"),
    "days_late": Bilingual(vi="số ngày trễ", en="the number of days late"),
    "flags": Bilingual(vi="ghi chú", en="the flags"),
    "missing": Bilingual(vi="phần còn thiếu", en="the missing parts"),
    "submissions": Bilingual(vi="số lần gửi", en="the number of submissions"),
    "urgings": Bilingual(vi="số lần đôn đốc", en="the number of urgings"),
    "returned": Bilingual(vi="số lần bị trả lại", en="the number of returns"),
    "late_before": Bilingual(vi="số kỳ trễ trong ba kỳ trước", en="the number of late periods among the three before"),
}
_OPERATORS = {
    "&&": Bilingual(vi="và", en="and"),
    "||": Bilingual(vi="hoặc", en="or"),
    "==": Bilingual(vi="là", en="is"),
    "!=": Bilingual(vi="khác", en="is not"),
    "<": Bilingual(vi="nhỏ hơn", en="is less than"),
    "<=": Bilingual(vi="không quá", en="is at most"),
    ">": Bilingual(vi="lớn hơn", en="is more than"),
    ">=": Bilingual(vi="ít nhất là", en="is at least"),
    "+": Bilingual(vi="+", en="+"),
    "-": Bilingual(vi="-", en="-"),
    "*": Bilingual(vi="×", en="×"),
    "/": Bilingual(vi="÷", en="÷"),
}
# What people say in place of "the number of returns is 0".
_NEVER = {
    "days_late": Bilingual(vi="không trễ ngày nào", en="not a day late"),
    "missing": Bilingual(vi="không thiếu phần nào", en="nothing missing"),
    "urgings": Bilingual(vi="không phải đôn đốc", en="never urged"),
    "returned": Bilingual(vi="không bị trả lại", en="never returned"),
    "late_before": Bilingual(vi="ba kỳ trước không trễ", en="not late in the three periods before"),
}
_HAS_FLAG = Bilingual(vi="có ghi chú", en="has the flag")
_HAS_NO_FLAG = Bilingual(vi="không có ghi chú", en="has not the flag")
_ALWAYS = Bilingual(vi="mọi trường hợp còn lại", en="in every other case")
_NONE = Bilingual(vi="không có", en="none")
_ONE_OF = Bilingual(vi="là một trong", en="is one of")
_AMONG = Bilingual(vi="có trong", en="is among")
_NOT = Bilingual(vi="không phải", en="not")
_SIZE = Bilingual(vi="số lượng", en="the number of items in")


class _NoWordsError(Exception):
    """The condition has a part for which there are no words."""


def describe_condition(expression: str, language: str) -> str:
    """Return the condition in words; one that uses what has no words here is quoted as it is written."""
    try:
        node = syntax.parse(expression)
        return _ALWAYS.in_language(language) if node == Literal(value=True) else _describe(node, language)
    except (_NoWordsError, syntax.InvalidExpression):
        return f"“{expression}”"


def describe_values(expression: str, variables: Mapping[str, Value], language: str) -> str:
    """Return those of *variables* that the condition names, with their values; raise `InvalidExpression`."""
    unbound = Scope({}, set())  # so that every name is one that nothing has bound
    compiler.compile_node(syntax.parse(expression), unbound)
    shown = (
        f"{_NAMES[name].in_language(language)}: {_show_value(value, language)}"
        for name, value in variables.items()
        if name in unbound.unbound
    )
    return "; ".join(shown)


def _describe(node: Node, language: str) -> str:
    match node:
        case Literal(value=value):
            return _show_value(value, language)
        case Name(name=name) if name in _NAMES:
            return _NAMES[name].in_language(language)
        case ListOf(items=items):
            return ", ".join(_describe(one, language) for one in items)
        case Unary(operator="!", operand=Chain(first=Literal(value=str(flag)), rest=(("in", Name(name="flags")),))):
            return f"{_HAS_NO_FLAG.in_language(language)} {_show_value(flag, language)}"
        case Unary(operator="!", operand=operand):
            return f"{_NOT.in_language(language)} ({_describe(operand, language)})"
        case Chain(first=first, rest=((operator, operand),)):
            claim = _claim(first, operator, operand, language)
            return _describe_chain(first, node.rest, language) if claim is None else claim
        case Chain(first=first, rest=rest):
            return _describe_chain(first, rest, language)
        case Call(function="size", arguments=(argument,)):
            return f"{_SIZE.in_language(language)} {_describe(argument, language)}"
        case Name() | Unary() | Call() | MapOf() | Index() | Has() | Conditional() | Comprehension():
            raise _NoWordsError
        case _:
            assert_never(node)


def _claim(first: Node, operator: str, operand: Node, language: str) -> str | None:
    """Return a comparison as people say it: `đúng hạn`, `trễ không quá 7 ngày`; None where it has no such form."""
    match first, operator, operand:
        case Name(name="status"), "==", Literal(value=str(status)):
            return _label(status, language).lower()
        case Name(name="status"), "in", ListOf(items=items) if all(isinstance(one, Literal) for one in items):
            joint = f" {_OPERATORS['||'].in_language(language)} "
            return joint.join(_label(str(one.value), language).lower() for one in items if isinstance(one, Literal))
        case Literal(value=str(flag)), "in", Name(name="flags"):
            return f"{_HAS_FLAG.in_language(language)} {_show_value(flag, language)}"
        case Name(name=name), "==", Literal(value=Decimal() as number) if name in _NEVER and not number:
            return _NEVER[name].in_language(language)
        case Call(function="size", arguments=(Name(name=name),)), "==", Literal(value=Decimal() as number) if (
            name in _NEVER and not number
        ):
            return _NEVER[name].in_language(language)
        case Name(name="days_late"), "<" | "<=" | ">" | ">=", Literal(value=Decimal() as number):
            limit = f"{_OPERATORS[operator].in_language(language)} {figures.write_for_people(number, language)}"
            return f"trễ {limit} ngày" if language == "vi" else f"{limit.removeprefix('is ')} days late"
        case _:
            return None


def _describe_chain(first: Node, rest: Sequence[tuple[str, Node]], language: str) -> str:
    if all(operator == "&&" for operator, _ in rest):
        # Several conditions that must all hold read as a list.
        *listed, last = (_bracket(one, language) for one in (first, *(operand for _, operand in rest)))
        return f"{', '.join(listed)} {_OPERATORS['&&'].in_language(language)} {last}"
    words = [_bracket(first, language)]
    for operator, operand in rest:
        if operator == "in":
            joint = _ONE_OF if isinstance(operand, ListOf) else _AMONG
        elif operator in _OPERATORS:
            joint = _OPERATORS[operator]
        else:
            raise _NoWordsError
        words += [joint.in_language(language), _bracket(operand, language)]
    return " ".join(words)


def _bracket(node: Node, language: str) -> str:
    """Return the words of an operand, in brackets where it is joined from alternatives or conditions of its own."""
    words = _describe(node, language)
    is_joined = isinstance(node, Chain) and any(
        operator in {"&&", "||"} or (isinstance(operand, ListOf) and len(operand.items) > 1)
        for operator, operand in node.rest
    )
    return f"({words})" if is_joined else words


def _show_value(value: Value, language: str) -> str:
    match value:
        case None:
            return _NONE.in_language(language)
        case bool():
            return {"vi": ("sai", "đúng")}.get(language, ("false", "true"))[value]
        case Decimal():
            return figures.write_for_people(value, language)
        case str():
            return f"“{_label(value, language)}”"
        case Mapping():
            return ", ".join(value)
        case _:
            return ", ".join(_show_value(one, language) for one in value) or _NONE.in_language(language)


def _label(text: str, language: str) -> str:
    """Return the label of a status or a flag; any other text is shown as it is."""
    status = next((one for one in Status if one.value == text), None)
    return labels.flag_label(text, language) if status is None else labels.status_label(status, language)
