"""The shape of the code: sizes, docstrings, names and import rules, read from the syntax trees."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("services", "schemas", "deploy")
EVERYTHING = (*PRODUCT, "tests")
LONGEST_FILE_LINES = 400
LONGEST_FUNCTION_LINES = 40
MOST_PARAMETERS = 5
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
LEFT_OPEN = re.compile(r"TO[D]O|FIX[M]E|XX[X]|NotImplementedError|pragma: no cover|from __future__")
SKIPPED = re.compile(r"pytest\.(mark\.)?(skip|xfail)|unittest\.skip")
MACHINE_PATH = re.compile(r"/(work|farm|root|home)/")
THIS_FILE = Path(__file__).relative_to(ROOT)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One source file, parsed."""

    path: Path
    text: str
    tree: ast.Module

    def functions(self) -> Iterator[Function]:
        """Give every function and method."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def at(self, node: ast.AST) -> str:
        """Say where *node* stands."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def modules(*roots: str) -> list[Module]:
    """Parse every Python file that git does not ignore below *roots*."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *(f"{root}/*.py" for root in roots)],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]
    texts = [(path, (ROOT / path).read_text(encoding="utf-8")) for path in paths]
    return [Module(path=path, text=text, tree=ast.parse(text)) for path, text in texts]


@pytest.fixture(scope="module")
def everything() -> list[Module]:
    """Every Python file of the repository."""
    return modules(*EVERYTHING)


@pytest.fixture(scope="module")
def product() -> list[Module]:
    """The Python files that are shipped or run beside what is shipped."""
    return modules(*PRODUCT)


def test_a_file_is_at_most_400_lines(everything: list[Module]) -> None:
    """A file that outgrows the limit holds two nouns; split it."""
    assert [
        f"{module.path}: {length} lines"
        for module in everything
        if (length := len(module.text.splitlines())) > LONGEST_FILE_LINES
    ] == []


def test_a_function_is_at_most_40_lines(everything: list[Module]) -> None:
    """A function that outgrows the limit does two things; split it."""
    assert [
        f"{module.at(function)} {function.name}: {length} lines"
        for module in everything
        for function in module.functions()
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION_LINES
    ] == []


def test_a_function_takes_at_most_five_parameters(product: list[Module]) -> None:
    """More parameters than five are a noun without a name; a command has as many as it has options."""
    assert [
        f"{module.at(function)} {function.name}: {count} parameters"
        for module in product
        if "console" not in module.path.parts
        for function in module.functions()
        if (count := len(_parameters(function))) > MOST_PARAMETERS
    ] == []


def test_every_module_says_what_it_is(everything: list[Module]) -> None:
    """The first thing in a file is its docstring."""
    assert [str(module.path) for module in everything if not ast.get_docstring(module.tree)] == []


def test_every_test_states_its_rule(everything: list[Module]) -> None:
    """A test has a docstring of one sentence."""
    assert [
        f"{module.at(function)} {function.name}"
        for module in everything
        for function in module.functions()
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ] == []


def test_no_module_has_a_name_that_says_nothing(product: list[Module]) -> None:
    """A file is named by its noun."""
    assert [str(module.path) for module in product if FORBIDDEN_NAMES & set(module.path.with_suffix("").parts)] == []


def test_nothing_is_left_open(everything: list[Module]) -> None:
    """No stub, no note to oneself, no test that does not run, no path of one machine."""
    patterns = (LEFT_OPEN, SKIPPED, MACHINE_PATH)
    assert [
        f"{module.path}:{number}: {line.strip()}"
        for module in everything
        if module.path != THIS_FILE
        for number, line in enumerate(module.text.splitlines(), start=1)
        if any(pattern.search(line) for pattern in patterns)
    ] == []


def test_no_error_vanishes(product: list[Module]) -> None:
    """An `except` does more than pass or continue; what may be ignored is said with `contextlib.suppress`."""
    assert [
        module.at(handler)
        for module in product
        for handler in ast.walk(module.tree)
        if isinstance(handler, ast.ExceptHandler) and isinstance(handler.body[0], ast.Pass | ast.Continue)
    ] == []


def test_nothing_happens_at_import(product: list[Module]) -> None:
    """No client, application or settings object is made while a module is imported."""
    makers = re.compile(r"(Broker|Client|Settings|FastStream|Starlette|Producer|Consumer)$")
    assert [
        module.at(node)
        for module in product
        for statement in module.tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and makers.search(_called(node))
    ] == []


def test_imports_go_only_the_allowed_way() -> None:
    """import-linter keeps every contract of pyproject.toml."""
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in {"self", "cls"}]


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
