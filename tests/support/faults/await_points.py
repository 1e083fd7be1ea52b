"""Every await of a module as a place to kill the process at: right after what was awaited is done.

The list is made from the source, so a new await is a new place. `faulty_process` loads the module with the kill in it.
"""

import ast
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

KILL = "_kill_after_await"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitPoint:
    """The *number*-th await (from 1) of a function, in the order of the source."""

    module: str
    function: str
    number: int

    def __str__(self) -> str:
        return f"{self.module.rpartition('.')[2]}.{self.function}#{self.number}"


def find_await_points(modules: Sequence[str]) -> list[AwaitPoint]:
    """Return every await in *modules*."""
    return [
        AwaitPoint(module=module, function=function, number=number)
        for module in modules
        for function, node in _find_functions(ast.parse(read_source(module)))
        for number, _ in enumerate(_find_awaits(node), start=1)
    ]


def plant_kill(source: str, point: AwaitPoint) -> ast.Module:
    """Return the module in which the value of the await passes through `KILL`, which the loader defines."""
    tree = ast.parse(source)
    function = dict(_find_functions(tree))[point.function]
    chosen = list(_find_awaits(function))[point.number - 1]
    _Planter(chosen).visit(tree)
    return ast.fix_missing_locations(tree)


def read_source(module: str) -> str:
    """Return the source of *module*, without importing it."""
    found = importlib.util.find_spec(module)
    assert found is not None, module
    assert found.origin is not None, module
    return Path(found.origin).read_text(encoding="utf-8")


class _Planter(ast.NodeTransformer):
    def __init__(self, chosen: ast.Await) -> None:
        self._chosen = chosen

    def visit_Await(self, node: ast.Await) -> ast.expr:
        if node is not self._chosen:
            self.generic_visit(node)
            return node
        call = ast.Call(func=ast.Name(id=KILL, ctx=ast.Load()), args=[node], keywords=[])
        return ast.copy_location(call, node)


def _find_functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.AsyncFunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.AsyncFunctionDef():
                yield f"{prefix}{node.name}", node
                yield from _find_functions(node, f"{prefix}{node.name}.")
            case ast.ClassDef() | ast.FunctionDef():
                yield from _find_functions(node, f"{prefix}{node.name}.")
            case _:
                yield from _find_functions(node, prefix)


def _find_awaits(function: ast.AST) -> Iterator[ast.Await]:
    """Yield the awaits of *function* itself, not those of functions within it."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Await):
            yield node
        yield from _find_awaits(node)
