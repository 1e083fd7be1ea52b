"""The shape of the code: sizes, docstrings, names, glossary and import rules, read from the syntax trees."""

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
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
MOST_MODULES_IN_A_FOLDER = 15
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
LEFT_OPEN = re.compile(r"TO[D]O|FIX[M]E|XX[X]|NotImplementedError|pragma: no cover|from __future__")
SKIPPED = re.compile(r"pytest\.(mark\.)?(skip|xfail)|unittest\.skip")
MACHINE_PATH = re.compile(r"/(work|farm|root|home)/")
THIS_FILE = Path(__file__).relative_to(ROOT)
MISSING_PROGRAMS = Path("tests/support/tools.py")  # leaves out the tests of a program that the machine has not

GLOSSARY = ROOT / "docs" / "glossary.md"
CODE_COLUMN = "in the code"
TERM = re.compile(r"\*\*(.+?)\*\*")
CODE_NAME = re.compile(r"`(?:[\w.]+\.)?(\w+)`")

# Words that end like a regular participle and are none.
NO_PARTICIPLES = {"seed", "feed", "need", "speed", "embed", "proceed", "succeed", "exceed", "red", "bed"}

IRREGULAR_PARTICIPLE = re.compile(
    "begun|bound|broken|brought|bought|built|caught|chosen|dealt|done|drawn|driven|fallen|felt|forgotten|found|fought|"
    "given|gone|grown|held|heard|hidden|kept|known|laid|lain|led|left|lent|lost|made|meant|met|paid|ridden|risen|rung|"
    "said|seen|sent|shaken|shown|sold|sought|spent|spoken|stood|struck|stuck|sung|sunk|swept|sworn|taken|taught|"
    "thought|thrown|told|torn|tried|understood|won|worn|wound|written"
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One source file, parsed."""

    path: Path
    text: str
    tree: ast.Module

    def functions(self) -> Iterator[Function]:
        """Yield every function and method."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        """Yield every class."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def at(self, node: ast.AST) -> str:
        """Return the file and line of *node*."""
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


def assert_none(found: list[str]) -> None:
    """Fail with every line of *found*, which pytest would cut short in a comparison."""
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.fixture(scope="module")
def everything() -> list[Module]:
    """Every Python file of the repository."""
    return modules(*EVERYTHING)


@pytest.fixture(scope="module")
def product() -> list[Module]:
    """The Python files that are shipped, or that run beside what is shipped."""
    return modules(*PRODUCT)


def test_a_file_is_at_most_400_lines(everything: list[Module]) -> None:
    """A longer file holds two ideas and is split by them."""
    assert_none(
        [
            f"{module.path}: {length} lines"
            for module in everything
            if (length := len(module.text.splitlines())) > LONGEST_FILE_LINES
        ]
    )


def test_a_folder_holds_at_most_15_modules(everything: list[Module]) -> None:
    """A fuller folder is divided into folders named after what they do; `__init__.py` does not count."""
    counts = Counter(module.path.parent for module in everything if module.path.name != "__init__.py")
    assert_none(
        [f"{folder}: {count} modules" for folder, count in sorted(counts.items()) if count > MOST_MODULES_IN_A_FOLDER]
    )


def test_a_function_is_at_most_40_lines(everything: list[Module]) -> None:
    """A longer function does two things and is split by them."""
    assert_none(
        [
            f"{module.at(function)} {function.name}: {length} lines"
            for module in everything
            for function in module.functions()
            if (length := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION_LINES
        ]
    )


def test_a_function_takes_at_most_five_parameters(product: list[Module]) -> None:
    """More than five parameters are a type without a name; a command has as many as it has options."""
    assert_none(
        [
            f"{module.at(function)} {function.name}: {count} parameters"
            for module in product
            if "console" not in module.path.parts
            for function in module.functions()
            if (count := len(_parameters(function))) > MOST_PARAMETERS
        ]
    )


def test_every_module_says_what_it_is(everything: list[Module]) -> None:
    """The first thing in a file is its docstring."""
    assert_none([str(module.path) for module in everything if not ast.get_docstring(module.tree)])


def test_every_test_states_its_rule(everything: list[Module]) -> None:
    """A test has a docstring of one sentence."""
    assert_none(
        [
            f"{module.at(function)} {function.name}"
            for module in everything
            for function in module.functions()
            if function.name.startswith("test_") and not ast.get_docstring(function)
        ]
    )


def test_no_name_says_nothing(product: list[Module]) -> None:
    """A module is named after its subject, not `utils`; a function after its action, not `do_…`."""
    assert_none([str(module.path) for module in product if FORBIDDEN_NAMES & set(module.path.with_suffix("").parts)])
    assert_none(
        [
            f"{module.at(function)} {function.name}"
            for module in product
            for function in module.functions()
            if function.name.lstrip("_").startswith("do_")
        ]
    )


def test_a_function_is_named_by_a_verb(product: list[Module]) -> None:
    """A bare participle names a property or a boolean; an action is `validate`, not `validated`."""
    assert_none(
        [
            f"{module.at(function)} {function.name}: name it by a verb"
            for module in product
            for function in module.functions()
            if _is_participle(function.name) and not _is_property_or_claim(function)
        ]
    )


@pytest.mark.parametrize(
    ("name", "is_participle"),
    [
        ("told", True),
        ("_taken", True),
        ("validated", True),
        ("validate", False),
        ("feed", False),
        ("written_attributes", False),
        ("set", False),
    ],
)
def test_a_participle_is_known_by_its_form(name: str, *, is_participle: bool) -> None:
    """The rule on verbs sees regular and irregular participles, and no word that only looks like one."""
    assert _is_participle(name) is is_participle


def test_a_class_name_has_one_meaning(product: list[Module]) -> None:
    """No two classes of the product have one name; a leading underscore does not make it another name."""
    places: dict[str, list[str]] = defaultdict(list)
    for module in product:
        for defined in module.classes():
            places[defined.name.lstrip("_")].append(module.at(defined))
    assert_none([f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1])


def test_every_public_class_of_a_core_is_in_the_glossary(product: list[Module]) -> None:
    """A class of a core or of the events is a term of docs/glossary.md, or stands there in the column "in the code"."""
    terms, names = _glossary()
    assert_none(
        [
            f"{module.at(defined)} {defined.name}: add it to {GLOSSARY.relative_to(ROOT)}"
            for module in product
            if _is_core(module.path)
            for defined in module.tree.body
            if isinstance(defined, ast.ClassDef) and not defined.name.startswith("_")
            if defined.name not in names and defined.name.lower() not in terms
        ]
    )


def test_every_class_in_the_glossary_exists(product: list[Module]) -> None:
    """A class name in the glossary's column "in the code" is one of the product."""
    defined = {one.name for module in product for one in module.classes()}
    _, names = _glossary()
    assert_none(sorted(name for name in names if name[:1].isupper() and name not in defined))


def test_nothing_is_left_open(everything: list[Module]) -> None:
    """No stub, no note to oneself, no path of one machine, no test that does not run but for want of a program."""
    patterns = (LEFT_OPEN, SKIPPED, MACHINE_PATH)
    exempt = {THIS_FILE, MISSING_PROGRAMS}
    assert_none(
        [
            f"{module.path}:{number}: {line.strip()}"
            for module in everything
            if module.path not in exempt
            for number, line in enumerate(module.text.splitlines(), start=1)
            if any(pattern.search(line) for pattern in patterns)
        ]
    )


def test_no_error_vanishes(product: list[Module]) -> None:
    """An `except` does more than pass or continue; an error that may be ignored is in `contextlib.suppress`."""
    assert_none(
        [
            module.at(handler)
            for module in product
            for handler in ast.walk(module.tree)
            if isinstance(handler, ast.ExceptHandler) and isinstance(handler.body[0], ast.Pass | ast.Continue)
        ]
    )


def test_nothing_happens_at_import(product: list[Module]) -> None:
    """No client, application or settings object is made while a module is imported."""
    makers = re.compile(r"(Broker|Client|Settings|FastStream|Starlette|Producer|Consumer)$")
    assert_none(
        [
            module.at(node)
            for module in product
            for statement in module.tree.body
            if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr)
            for node in ast.walk(statement)
            if isinstance(node, ast.Call) and makers.search(_name_of_call(node))
        ]
    )


def test_imports_go_only_the_allowed_way() -> None:
    """import-linter keeps every contract of pyproject.toml."""
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in {"self", "cls"}]


def _is_participle(name: str) -> bool:
    word = name.strip("_")
    if "_" in word:
        return False
    return bool(IRREGULAR_PARTICIPLE.fullmatch(word)) or (word.endswith("ed") and word not in NO_PARTICIPLES)


def _is_property_or_claim(function: Function) -> bool:
    """Whether *function* is a property, returns a boolean, or is a validator or serializer that pydantic calls."""
    decorators = " ".join(map(ast.unparse, function.decorator_list))
    if re.search(r"property|validator|serializer", decorators):
        return True
    return function.returns is not None and ast.unparse(function.returns) == "bool"


def _is_core(path: Path) -> bool:
    match path.parts:
        case ("services", _, "core", *_) | ("schemas", "events", *_):
            return True
        case _:
            return False


def _glossary() -> tuple[set[str], set[str]]:
    """Return the terms of the glossary, in lower case without spaces and hyphens, and the names in its code column."""
    terms: set[str] = set()
    names: set[str] = set()
    column: int | None = None
    for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if GLOSSARY.exists() else []:
        if not line.startswith("|"):
            column = None
            continue
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if CODE_COLUMN in cells:
            column = cells.index(CODE_COLUMN)
        elif column is not None and len(cells) > column:
            for written in TERM.findall(cells[0]):
                terms.update(re.sub(r"[\s-]", "", term).lower() for term in written.split(","))
            names.update(CODE_NAME.findall(cells[column]))
    return terms, names


def _name_of_call(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
