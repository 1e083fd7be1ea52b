"""Every setting, metric and topic has its line in the documents."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from pydantic_settings import BaseSettings

import services
from deploy.local.process.ports import Ports, port_variable
from schemas.events.topics import TOPICS, WITH_DEAD_LETTERS

ROOT = Path(__file__).parents[2]
METRIC_KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
SHARED_SETTINGS = ("ServiceSettings", "MongoSettings")


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


def _variables() -> Iterator[str]:
    for module in _settings_modules():
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind.__module__ == module.__name__:
                yield from _variables_of(kind)


def _variables_of(kind: type[BaseSettings]) -> Iterator[str]:
    """Name what a class reads: its own fields by its prefix; an inherited one is documented where it is declared."""
    prefix = kind.model_config.get("env_prefix", "") or "DONDOC_"
    own = kind.__annotations__ if kind.__name__ not in SHARED_SETTINGS else kind.model_fields
    yield from (f"{prefix}{name}".upper() for name in own if name in kind.model_fields)


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
