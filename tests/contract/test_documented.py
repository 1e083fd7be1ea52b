"""Every setting, metric and topic has its line in the documents; the files and functions that they name exist."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from pydantic_settings import BaseSettings

import services
from deploy.local.process.ports import Ports, port_variable
from schemas.events.topics import TOPICS, WITH_DEAD_LETTERS

ROOT = Path(__file__).parents[2]
SERVICES = ("console", "intake", "notifier", "reporting", "rules", "runtime")
METRIC_KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
SHARED_SETTINGS = ("ServiceSettings", "MongoSettings")

HOW_TO = tuple(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs/how-to").glob("*.md")))
GUIDES = ("docs/architecture.md", "CONTRIBUTING.md", *HOW_TO, *(f"services/{name}/README.md" for name in SERVICES))
BACKTICKED = re.compile(r"`([^`\n]+)`")
FULL_PATH = re.compile(r"(?:services|schemas|tests|deploy|docs|\.ci)/[\w./*{},-]*")
PATH = re.compile(rf"{FULL_PATH.pattern}|[\w/*{{}},-]+(?:/|\.py)")
PATH_AND_FUNCTION = re.compile(r"`([\w/]+\.py)`, `(?![\w.]+\.py`)([A-Za-z_][\w.]*)`")
METHOD = re.compile(r"[A-Z][a-z]\w+\.[a-z_]\w*")


def test_every_setting_is_documented() -> None:
    """Each field of each settings class stands in docs/reference/settings.md by the name of its variable."""
    text = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    assert sorted(name for name in set(_variables()) if f"`{name}`" not in text) == []


def test_every_metric_is_documented() -> None:
    """Each declared metric stands in docs/reference/metrics.md by the name it is scraped under."""
    text = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    assert sorted(name for name in set(_metrics()) if f"`{name}`" not in text) == []


def test_every_topic_is_documented() -> None:
    """Each declared topic stands in docs/reference/topics.md."""
    text = (ROOT / "docs/reference/topics.md").read_text(encoding="utf-8")
    names = [topic.name for topic in TOPICS] + [topic.dead_letter for topic in WITH_DEAD_LETTERS]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_port_of_the_local_stack_is_documented() -> None:
    """Each variable that moves a listener of the local stack stands in docs/reference/settings.md."""
    text = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    names = [port_variable(name) for name in Ports.__dataclass_fields__]
    assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize("guide", GUIDES)
def test_every_path_in_a_guide_exists(guide: str) -> None:
    """Each path in backticks exists, in the repository or in a folder of the path that stands before it.

    For example `store.py` after `services/reporting/http/api.py` may be `services/reporting/store.py`. `{a,b}.py`
    stands for two files, and `*` for any name. An address of a service, such as `/livez`, is no path.
    """
    before = home = ROOT / guide
    missing = []
    for number, line in enumerate((ROOT / guide).read_text(encoding="utf-8").splitlines(), start=1):
        each_service = list((ROOT / "services").glob("*/")) if "of the service" in line else []
        for path in (one for ticked in BACKTICKED.findall(line) if PATH.fullmatch(ticked) for one in _expand(ticked)):
            near = [one for one in (*home.parents, *before.parents) if one.is_relative_to(ROOT)]
            folders = [ROOT] if FULL_PATH.fullmatch(path) else [*near, *each_service]
            found = [one for folder in folders for one in folder.glob(path.rstrip("/"))]
            if not found:
                missing.append(f"line {number}: {path}")
            before = found[0] if found else before
    assert missing == []


@pytest.mark.parametrize("guide", GUIDES)
def test_every_function_in_a_guide_exists(guide: str) -> None:
    """Where a guide names a file and then a function ("`path`, `function`"), the file defines it."""
    text = (ROOT / guide).read_text(encoding="utf-8")
    missing = [(path, name) for path, name in PATH_AND_FUNCTION.findall(text) if not _defines(path, name)]
    assert missing == []


@pytest.mark.parametrize("guide", GUIDES)
def test_every_method_in_a_guide_exists(guide: str) -> None:
    """Each `Class.method` of a guide is defined somewhere in the product."""
    defined = {name for top in ("services", "schemas") for path in (ROOT / top).rglob("*.py") for name in _names(path)}
    named = BACKTICKED.findall((ROOT / guide).read_text(encoding="utf-8"))
    assert [name for name in named if METHOD.fullmatch(name) and name not in defined] == []


def test_a_function_that_is_missing_is_noticed() -> None:
    """A function counts only in the file that defines it, and a method only in its class."""
    path = "services/rules/processor.py"
    names = ["PartitionProcessor.process", "PartitionProcessor", "process", "PartitionProcessor.assess", "assess"]
    assert [_defines(path, name) for name in names] == [True, True, True, False, False]
    assert not _defines("services/rules/missing.py", "process")


def _expand(path: str) -> Iterator[str]:
    """Yield *path* with each alternative of its braces."""
    head, opened, rest = path.partition("{")
    alternatives, _, tail = rest.partition("}")
    for one in alternatives.split(",") if opened else [""]:
        yield from _expand(head + one + tail) if opened else [path]


def _defines(path: str, name: str) -> bool:
    """Whether the file defines the function or class *name*, or a method of that name."""
    return any(one == name or one.endswith(f".{name}") for one in _names(ROOT / path))


@cache
def _names(path: Path) -> frozenset[str]:
    """Return the qualified names of the functions, methods and classes in a file."""
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    return frozenset(_qualified_names(body, ""))


def _qualified_names(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _qualified_names(node.body, f"{prefix}{node.name}.")


def _variables() -> Iterator[str]:
    for module in _settings_modules():
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind.__module__ == module.__name__:
                yield from _variables_of(kind)


def _variables_of(kind: type[BaseSettings]) -> Iterator[str]:
    """Name what a class reads: its own fields by its prefix; an inherited one is documented where it is declared."""
    prefix = kind.model_config.get("env_prefix", "") or "DONDOC_"
    own = kind.__annotations__ if kind.__name__ not in SHARED_SETTINGS else kind.model_fields
    fields = {name: kind.model_fields[name] for name in own if name in kind.model_fields}
    yield from (str(field.validation_alias or f"{prefix}{name}").upper() for name, field in fields.items())


def _settings_modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(services.__path__, "services."):
        if found.name.endswith(".settings"):
            yield importlib.import_module(found.name)


def _metrics() -> Iterator[str]:
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Counter"), args=[ast.Constant(value=str(name)), *_]):
                    yield name if name.endswith("_total") else f"{name}_total"
                case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(name)), *_]) if kind in METRIC_KINDS:
                    yield name
                case _:
                    continue
