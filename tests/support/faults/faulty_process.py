"""Run a service with faults injected into named functions.

Use: `python -m tests.support.faults.faulty_process FAULT… -- services.rules`.

A FAULT is `ACTION:before|after:N:MODULE:NAME`: at the N-th call of `MODULE.NAME` (which may be `Class.method`), before
its body or after it, do ACTION: `kill` this process with SIGKILL, `stop` it with SIGSTOP, or `raise` OSError. Or it is
`await:MODULE:FUNCTION:N`: kill this process right after the N-th await of FUNCTION (see `await_points`).
The product has no support for this: the functions are wrapped here, in the process of the test.
"""

import functools
import importlib
import importlib.abc
import importlib.machinery
import inspect
import os
import runpy
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

from tests.support.faults import await_points
from tests.support.faults.await_points import AwaitPoint

ACTIONS = ("kill", "stop", "raise")
SEPARATOR = "--"


@dataclass(slots=True, kw_only=True)
class Fault:
    """One injected fault, which counts the calls of its function."""

    action: str
    moment: str
    call: int
    module: str
    name: str
    seen: int = 0

    def before(self) -> None:
        """Count a call, and act if it is the chosen one and the fault is before its body."""
        self.seen += 1
        if self.moment == "before" and self.seen == self.call:
            self._act()

    def after(self) -> None:
        """Act if the call that has just finished is the chosen one and the fault is after its body."""
        if self.moment == "after" and self.seen == self.call:
            self._act()

    def _act(self) -> None:
        match self.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case _:
                raise OSError(f"planted in {self.module}.{self.name}")


def parse(text: str) -> Fault:
    """Parse one fault from the command line."""
    action, moment, call, module, name = text.split(":")
    if action not in ACTIONS or moment not in {"before", "after"}:
        raise ValueError(f"{text!r} is no fault")
    return Fault(action=action, moment=moment, call=int(call), module=module, name=name)


def inject(fault: Fault) -> None:
    """Wrap the function in its module or class."""
    holder: Any = importlib.import_module(fault.module)
    *path, last = fault.name.split(".")
    for step in path:
        holder = getattr(holder, step)
    setattr(holder, last, _wrap(getattr(holder, last), fault))


def load_with_kill(point: AwaitPoint) -> None:
    """Have *point*'s module load with a kill planted, and its service anew: a template may have loaded it already."""
    service = ".".join(point.module.split(".")[:2])
    for name in [one for one in sys.modules if one == service or one.startswith(f"{service}.")]:
        del sys.modules[name]
    code = compile(await_points.plant_kill(await_points.read_source(point.module), point), point.module, "exec")
    sys.meta_path.insert(0, _PlantedFinder(point.module, code))


class _PlantedFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and runs its planted code in place of its own."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._module = module
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        return importlib.machinery.ModuleSpec(fullname, self) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__[await_points.KILL] = _kill
        exec(self._code, module.__dict__)  # noqa: S102 - the module's own source, with a kill in it


def _kill(_value: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _wrap(function: Callable[..., Any], fault: Fault) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def faulty_async(*args: object, **kwargs: object) -> object:
            fault.before()
            answer = await function(*args, **kwargs)
            fault.after()
            return answer

        return faulty_async

    @functools.wraps(function)
    def faulty(*args: object, **kwargs: object) -> object:
        fault.before()
        answer = function(*args, **kwargs)
        fault.after()
        return answer

    return faulty


def main() -> None:
    """Inject the faults, then run the service."""
    cut = sys.argv.index(SEPARATOR)
    for text in sys.argv[1:cut]:
        if text.startswith("await:"):
            _, module, function, number = text.split(":")
            load_with_kill(AwaitPoint(module=module, function=function, number=int(number)))
        else:
            inject(parse(text))
    module, *arguments = sys.argv[cut + 1 :]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
