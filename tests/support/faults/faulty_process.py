"""Run a service with faults injected into named functions.

Use: `python -m tests.support.faults.faulty_process FAULT… -- services.rules`.

A FAULT is `ACTION:before|after:N:MODULE:NAME`: at the N-th call of `MODULE.NAME` (which may be `Class.method`), before
its body or after it, do ACTION: `kill` this process with SIGKILL, `stop` it with SIGSTOP, or `raise` OSError.
The product has no support for this: the functions are wrapped here, in the process of the test.
"""

import functools
import importlib
import inspect
import os
import runpy
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
        inject(parse(text))
    module, *arguments = sys.argv[cut + 1 :]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
