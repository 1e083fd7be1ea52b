"""Compiles an expression into one Python function for each node, and adds up what it can cost at most.

`&&`, `||`, `all` and `exists` give their value whenever one operand decides it, even where another one cannot be
evaluated, as the definition of the language asks: `indicators.a > 0 || true` is true of a report without `a`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import assert_never

from schemas.cel import functions, syntax, values
from schemas.cel.costs import CALCULATION, COST_MAX, SMALL, Shape, add_shapes, join_shapes
from schemas.cel.syntax import InvalidExpression, Node
from schemas.cel.values import EXACT, QUOTIENT, NotEvaluable, Value

NOT_EVALUABLE = (NotEvaluable, ArithmeticError, LookupError)
"""What an evaluation raises where the expression has no value: a missing key, a wrong type, a division by zero."""


class CostExceeded(Exception):  # noqa: N818 - it reads as a claim about the evaluation
    """The evaluation takes more than `COST_MAX` units. Nothing inside the expression may catch this."""


class Frame:
    """The variables of one evaluation, and the units that it may still spend on going through lists."""

    __slots__ = ("units", "variables")

    def __init__(self, variables: dict[str, Value]) -> None:
        self.variables = variables
        self.units = COST_MAX

    def spend(self, units: int) -> None:
        """Count *units*; raise `CostExceeded` when they are used up, as by a report larger than intake takes."""
        self.units -= units
        if self.units < 0:
            raise CostExceeded


Evaluate = Callable[[Frame], Value]


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that are bound: to a slot of the frame, with the shape of its value. `unbound` are those that are not.

    A variable of a macro has a slot that no name can have, so that the variable that it hides keeps its value.
    """

    slots: Mapping[str, tuple[str, Shape]]
    unbound: set[str]

    def bind(self, name: str, shape: Shape) -> tuple[str, "Scope"]:
        """Return the slot of a variable of a macro, and the scope inside the macro."""
        slot = (self.slots[name][0] if name in self.slots else name) + "'"
        return slot, Scope({**self.slots, name: (slot, shape)}, self.unbound)


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression that can be evaluated, what its value can be at most, and what the evaluation costs at most."""

    evaluate: Evaluate
    cost: int
    shape: Shape = SMALL


def compile_node(node: Node, scope: Scope) -> Compiled:  # noqa: C901 - one case for each kind of node
    """Return *node* compiled, where *scope* holds the shapes of the variables; raise `InvalidExpression`."""
    match node:
        case syntax.Literal(value=value):
            return Compiled(lambda _: value, 1, Shape(size=len(value)) if isinstance(value, str) else SMALL)
        case syntax.Variable(name=name):
            return _compile_name(name, scope)
        case syntax.ListOf(items=items):
            return _compile_list([compile_node(one, scope) for one in items])
        case syntax.MapOf(entries=entries):
            return _compile_map([(compile_node(key, scope), compile_node(value, scope)) for key, value in entries])
        case syntax.Index():
            return _compile_index(node, scope)
        case syntax.Has(operand=operand, key=key):
            return _compile_has(compile_node(operand, scope), key)
        case syntax.Unary(operator=operator, operand=operand):
            return _compile_unary(operator, compile_node(operand, scope))
        case syntax.Chain(first=first, rest=rest):
            return _compile_chain(first, rest, scope)
        case syntax.Conditional(test=test, yes=yes, no=no):
            return _compile_conditional(*[compile_node(one, scope) for one in (test, yes, no)])
        case syntax.Call():
            return _compile_call(node, [compile_node(one, scope) for one in node.arguments])
        case syntax.Comprehension():
            return _compile_comprehension(node, scope)
        case _:
            assert_never(node)


def _compile_name(name: str, scope: Scope) -> Compiled:
    if name not in scope.slots:
        scope.unbound.add(name)
    slot, shape = scope.slots.get(name, (name, SMALL))
    return Compiled(lambda frame: frame.variables[slot], 1, shape)


def _compile_list(items: Sequence[Compiled]) -> Compiled:
    parts = [one.evaluate for one in items]
    shape = Shape(size=len(items), item=join_shapes(*[one.shape for one in items]))
    return Compiled(lambda frame: [part(frame) for part in parts], 1 + _total_cost(*items), shape)


def _compile_map(entries: Sequence[tuple[Compiled, Compiled]]) -> Compiled:
    def evaluate(frame: Frame) -> Value:
        built: dict[str, Value] = {}
        for key, value in entries:
            name = key.evaluate(frame)
            if not isinstance(name, str) or name in built:
                raise NotEvaluable("the keys of a map are text, each once")
            built[name] = value.evaluate(frame)
        return built

    item = join_shapes(*[part.shape for entry in entries for part in entry])
    shape = Shape(size=len(entries), item=item, is_map=True)
    return Compiled(evaluate, 1 + sum(_total_cost(*entry) for entry in entries), shape)


def _compile_index(node: syntax.Index, scope: Scope) -> Compiled:
    operand, key = compile_node(node.operand, scope), compile_node(node.key, scope)
    shape = operand.shape.item or SMALL
    if isinstance(node.operand, syntax.Variable) and key.shape.keys_of == node.operand.name:
        shape = operand.shape.share or shape
    read, read_key = operand.evaluate, key.evaluate
    return Compiled(lambda frame: values.item_of(read(frame), read_key(frame)), 1 + _total_cost(operand, key), shape)


def _compile_has(operand: Compiled, key: str) -> Compiled:
    def evaluate(frame: Frame) -> Value:
        fields = operand.evaluate(frame)
        if not isinstance(fields, dict):
            raise NotEvaluable("has() asks a map")
        return key in fields

    return Compiled(evaluate, 1 + operand.cost)


def _compile_unary(operator: str, operand: Compiled) -> Compiled:
    def negate(frame: Frame) -> Value:
        return not _truth(operand.evaluate(frame))

    def minus(frame: Frame) -> Value:
        value = operand.evaluate(frame)
        if not isinstance(value, Decimal):
            raise NotEvaluable("not a number")
        return EXACT.minus(value)

    return Compiled(negate if operator == "!" else minus, CALCULATION + operand.cost)


def _compile_chain(first: Node, rest: Sequence[tuple[str, Node]], scope: Scope) -> Compiled:
    operands = [compile_node(first, scope), *[compile_node(one, scope) for _, one in rest]]
    operators = [operator for operator, _ in rest]
    if operators[0] in _DECIDED_BY:
        return _compile_logic(operands, decided_by=_DECIDED_BY[operators[0]])
    start = operands[0].evaluate
    steps = [(_OPERATORS[operator], one.evaluate) for operator, one in zip(operators, operands[1:], strict=True)]

    def evaluate(frame: Frame) -> Value:
        value = start(frame)
        for apply, operand in steps:
            value = apply(value, operand(frame))
        return value

    cost, shape = _total_cost(*operands), operands[0].shape
    for operator, operand in zip(operators, operands[1:], strict=True):
        cost += _cost_of_operator(operator, shape, operand.shape)
        shape = add_shapes(shape, operand.shape) if operator == "+" else SMALL
    return Compiled(evaluate, cost, shape)


_DECIDED_BY = {"||": True, "&&": False}


def _compile_logic(operands: Sequence[Compiled], *, decided_by: bool) -> Compiled:
    parts = [one.evaluate for one in operands]
    return Compiled(lambda frame: _decide(frame, parts, decided_by=decided_by), 1 + _total_cost(*operands))


def _cost_of_operator(operator: str, left: Shape, right: Shape) -> int:
    match operator:
        case "in" if right.is_map:
            return left.weight
        case "in":
            return right.weight + right.size * left.weight
        case "+":
            return CALCULATION + left.weight + right.weight
        case "-" | "*" | "/" | "%":
            return CALCULATION
        case _:
            return min(left.weight, right.weight)


def _compile_conditional(test: Compiled, yes: Compiled, no: Compiled) -> Compiled:
    def evaluate(frame: Frame) -> Value:
        return yes.evaluate(frame) if _truth(test.evaluate(frame)) else no.evaluate(frame)

    return Compiled(evaluate, 1 + test.cost + max(yes.cost, no.cost), join_shapes(yes.shape, no.shape))


def _compile_call(node: syntax.Call, arguments: Sequence[Compiled]) -> Compiled:
    if node.function == "matches":
        return _compile_matches(node, arguments)
    signature = functions.SIGNATURES.get(node.function)
    if signature is None:
        known = ", ".join(sorted([*functions.SIGNATURES, "has", "matches", *syntax.MACROS]))
        raise _invalid(node, f"no function is called {node.function!r}; there are {known}")
    _check_arguments(node, *signature.arguments)
    parts, shapes = [one.evaluate for one in arguments], [one.shape for one in arguments]
    return Compiled(
        lambda frame: signature.call(*[part(frame) for part in parts]),
        _total_cost(*arguments) + signature.cost(shapes),
        signature.result(shapes),
    )


def _compile_matches(node: syntax.Call, arguments: Sequence[Compiled]) -> Compiled:
    _check_arguments(node, 2, 2)
    match node.arguments[1]:
        case syntax.Literal(value=str(pattern)):
            pass
        case _:
            raise _invalid(node, "the regular expression of matches() is a text in quotes")
    try:
        compiled = functions.compile_pattern(pattern)
    except functions.InvalidPattern as cause:
        raise _invalid(node, str(cause)) from cause

    def evaluate(frame: Frame) -> Value:
        text = arguments[0].evaluate(frame)
        if not isinstance(text, str):
            raise NotEvaluable("matches() asks text")
        return compiled.search(text)

    return Compiled(evaluate, arguments[0].cost + arguments[0].shape.weight * compiled.factor)


def _check_arguments(node: syntax.Call, least: int, most: int) -> None:
    if not least <= len(node.arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise _invalid(node, f"{node.function}() takes {wanted} arguments, what it is called on included")


def _compile_comprehension(node: syntax.Comprehension, scope: Scope) -> Compiled:
    operand = compile_node(node.operand, scope)
    item = operand.shape.share or operand.shape.item or SMALL
    if isinstance(node.operand, syntax.Variable):
        item = replace(item, keys_of=node.operand.name)
    slot, inner = scope.bind(node.variable, item)
    condition = compile_node(node.condition, inner) if node.condition else _ALWAYS
    transform = compile_node(node.transform, inner) if node.transform else None
    each = condition.cost + (transform.cost if transform else 0)
    loop = _Loop(operand.evaluate, slot, each)
    cost = operand.cost + operand.shape.size * each
    if node.macro in ("filter", "map"):
        # A key that is taken out of its list may be used again and again, and then meets no average.
        kept = replace(transform.shape if transform else item, keys_of=None)
        shape = Shape(size=operand.shape.size, item=kept)
        return Compiled(_evaluate_filter(loop, condition.evaluate, transform), cost, shape)
    return Compiled(_evaluate_quantifier(node.macro, loop, condition.evaluate), cost)


@dataclass(frozen=True, slots=True)
class _Loop:
    """Binds a slot to each item of a list or each key of a map; `each` is what one round costs."""

    operand: Evaluate
    slot: str
    each: int

    def run(self, frame: Frame) -> Iterator[Value]:
        """Yield the items, with the slot bound to the one that was yielded last."""
        items = self.operand(frame)
        if not isinstance(items, (list, dict)):
            raise NotEvaluable("a macro goes through a list or a map")
        for item in items:
            frame.spend(self.each)
            frame.variables[self.slot] = item
            yield item


def _evaluate_filter(loop: _Loop, condition: Evaluate, transform: Compiled | None) -> Evaluate:
    def evaluate(frame: Frame) -> Value:
        chosen = (item for item in loop.run(frame) if _truth(condition(frame)))
        return list(chosen) if transform is None else [transform.evaluate(frame) for _ in chosen]

    return evaluate


def _evaluate_quantifier(macro: str, loop: _Loop, condition: Evaluate) -> Evaluate:
    if macro == "exists_one":
        return lambda frame: sum(_truth(condition(frame)) for _ in loop.run(frame)) == 1
    decided_by = macro == "exists"
    return lambda frame: _decide(frame, (condition for _ in loop.run(frame)), decided_by=decided_by)


def _decide(frame: Frame, conditions: Iterable[Evaluate], *, decided_by: bool) -> bool:
    """Return *decided_by* if one condition is that, whether or not the others can be evaluated."""
    failure: Exception | None = None
    for condition in conditions:
        try:
            if _truth(condition(frame)) is decided_by:
                return decided_by
        except NOT_EVALUABLE as cause:
            failure = cause
    if failure is not None:
        raise failure
    return not decided_by


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise NotEvaluable("neither true nor false")
    return value


def _add(left: Value, right: Value) -> Value:
    match left, right:
        case (Decimal(), Decimal()):
            return EXACT.add(left, right)
        case (str(), str()):
            return left + right
        case (list(), list()):
            return [*left, *right]
        case _:
            raise NotEvaluable("values that cannot be added")


def _on_numbers(calculate: Callable[[Decimal, Decimal], Decimal]) -> Callable[[Value, Value], Value]:
    def apply(left: Value, right: Value) -> Value:
        if isinstance(left, Decimal) and isinstance(right, Decimal):
            return calculate(left, right)
        raise NotEvaluable("not numbers")

    return apply


_OPERATORS: Mapping[str, Callable[[Value, Value], Value]] = {
    "+": _add,
    "-": _on_numbers(EXACT.subtract),
    "*": _on_numbers(EXACT.multiply),
    "/": _on_numbers(QUOTIENT.divide),
    "%": _on_numbers(EXACT.remainder),
    "==": values.are_equal,
    "!=": lambda left, right: not values.are_equal(left, right),
    "<": values.is_less,
    ">": lambda left, right: values.is_less(right, left),
    "<=": lambda left, right: not values.is_less(right, left),
    ">=": lambda left, right: not values.is_less(left, right),
    "in": lambda item, container: values.contains(container, item),
}

_ALWAYS = Compiled(lambda _: True, 1)


def _total_cost(*parts: Compiled) -> int:
    return sum(one.cost for one in parts)


def _invalid(node: syntax.Call, message: str) -> InvalidExpression:
    return InvalidExpression(message, line=node.line, column=node.column)
