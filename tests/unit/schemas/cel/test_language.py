"""The language of conditions: what the definition of CEL says of operators, macros, text, lists and maps."""

import pytest

from schemas.cel import compiler, syntax
from schemas.cel.compiler import Frame, Scope
from schemas.cel.costs import SMALL
from schemas.cel.syntax import InvalidExpression
from schemas.cel.values import Value

VARIABLES: dict[str, Value] = {"m": {"a": "x", "b": None}, "l": ["x", "yy", "zzz"], "t": "Đã làm"}


@pytest.mark.parametrize(
    "expression",
    [
        "true || missing",
        "missing || true",
        "!(false && missing) && !(missing && false)",
        "true ? true : missing",
        "false ? missing : true ? true : false",
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 3 - 2 == 5 && 100 / 10 / 5 == 2",
        "!true == false && - - 1 == 1",
        "1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3 && 1 != 2 && 'a' < 'b' && false < true",
        "1 != '1' && true != 1 && null != 0 && null == null && [1] != ['1'] && {'a': 1} == {'a': 1.0}",
        "'x' in l && !('w' in l) && 'a' in m && !('x' in m) && !(1 in m)",
        "has(m.a) && has(m.b) && !has(m.c) && m['a'] == 'x' && m.a == m['a']",
        "l[0] == 'x' && l[2.0] == 'zzz' && size(l) == 3 && l.size() == 3 && m.size() == 2 && size(t) == 6",
        "t.startsWith('Đ') && t.endsWith('làm') && t.contains('ã l') && t.matches('^Đ. [a-zà]+$')",
        "'a\\tb' == '\\x61\\011\\u0062' && r'\\t' == '\\\\t' && \"it's\" == 'it\\'s' && '\\U0001F600'.size() == 1",
        "l.all(x, size(x) > 0) && l.exists(x, x == 'yy') && l.exists_one(x, size(x) == 3) && !l.exists_one(x, true)",
        "l.filter(x, size(x) > 1) == ['yy', 'zzz'] && l.map(x, size(x)) == [1, 2, 3]",
        "l.map(x, size(x) > 1, x + x) == ['yyyy', 'zzzzzz'] && [1] + [2] == [1, 2]",
        "m.all(k, k in ['a', 'b']) && m.exists(k, m[k] == null)",
        "l.exists(x, missing) || true",
        "l.exists(x, x == 'x' || missing) && !l.all(x, x != 'x' && missing)",
        "l.all(l, size(l) > 0) && size(l) == 3",  # the variable of a macro hides another one only inside
        "l.all(x, l.exists(y, x == y) && [1].all(x, x == 1) && size(x) > 0)",
        "[].all(x, false) && ![].exists(x, true) && [1, 2,] == [1, 2] && {} == {}",
        "true // a comment\n && true",
        "bool('true') && !bool(false) && string(true) == 'true' && string('a') == 'a' && dyn(1) == 1",
    ],
)
def test_expressions_mean_what_the_definition_of_the_language_says(expression: str) -> None:
    """Each expression is true."""
    scope = Scope({name: (name, SMALL) for name in VARIABLES}, set())
    compiled = compiler.compile_node(syntax.parse(expression), scope)
    assert compiled.evaluate(Frame(dict(VARIABLES))) is True


@pytest.mark.parametrize(
    "text, error",
    [
        ("", "1:1: the condition ends too early"),
        ("1 +", "1:4: the condition ends too early"),
        ("1 +\n  )", "2:3: ')' is not expected here"),
        ("a $ b", "1:3: '$' is not expected here"),
        ("foo(1)", "1:1: no function is called 'foo'; there are all, bool, "),
        ("a.foo()", "1:3: no function is called 'foo'"),
        ("math.foo(1)", "1:6: no function is called 'math.foo'"),
        ("size()", "1:1: size() takes 1 arguments"),
        ("math.least()", "1:6: math.least() takes 1 to 20 arguments"),
        ("has(a)", "1:1: has() takes a field"),
        ("a.all(x)", "1:3: all() takes a name and an expression"),
        ("a.all(1, true)", "1:3: the first argument of all() is the name"),
        ("a.matches(b)", "1:3: the regular expression of matches() is a text in quotes"),
        ("a.matches('(')", "1:3: '(' is no regular expression in RE2 syntax: missing )"),
        ("a.matches('(?:a{1000}){1000}')", "1:3: '(?:a{1000}){1000}' is no regular expression in RE2 syntax"),
        (r"'\q'", r"1:1: \q is no escape sequence"),
        (r"'\ud800'", r"1:1: \ud800 is no character"),
        ("1e1000", "1:1: the exponent is too large"),
        ("1" * 101, "1:1: the number is too long"),
        ("[" * 20_000, "1:1: the condition is too long: 20000 characters, at most 4096"),
        ("(" * 2_000 + "1" + ")" * 2_000, None),
        ("[" * 2_000 + "]" * 2_000, "1:1: the condition is nested too deeply"),
        ("!" * 4_000 + "true", "1:1: the condition is nested too deeply"),
        ("a?a:" * 1_000 + "a", "1:1: the condition is nested too deeply"),
        ("a" + ".b" * 2_000, "1:1: the condition is nested too deeply"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text: str, error: str | None) -> None:
    """The refusal names line and column, whatever is wrong and however deep; brackets alone are no depth."""
    scope = Scope({"a": ("a", SMALL)}, set())
    if error is None:
        assert compiler.compile_node(syntax.parse(text), scope).cost == 1
        return
    with pytest.raises(InvalidExpression) as refusal:
        compiler.compile_node(syntax.parse(text), scope)
    assert str(refusal.value).startswith(error)


def test_a_long_chain_takes_no_depth() -> None:
    """A sum of a thousand terms is one level."""
    compiled = compiler.compile_node(syntax.parse("+".join(["1"] * 1_000) + " == 1000"), Scope({}, set()))
    assert compiled.evaluate(Frame({})) is True
