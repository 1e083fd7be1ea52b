"""The first lines of a service's process: it hears SIGTERM and Ctrl-C before the service is even imported.

Importing a service takes one to two seconds. Without a handler the kernel discards a signal to the first process of a
PID namespace (PID 1 of a container), so a container that is stopped meanwhile would be killed after its grace period.
"""

import importlib
import os
import signal


def run_service(module: str) -> None:
    """Import *module* and call its `main`; until that handles signals itself, SIGTERM and Ctrl-C end the process."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    importlib.import_module(module).main()


def _end(*_: object) -> None:
    # Nothing is open yet. An exception might be caught by the module that is being imported.
    os._exit(0)
