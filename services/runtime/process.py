"""The first and the last lines of a service's process, around everything that the service itself does.

It hears SIGTERM and Ctrl-C before the service is even imported, which takes one to two seconds. Without a handler the
kernel discards a signal to the first process of a PID namespace (PID 1 of a container), so a container that is stopped
meanwhile would be killed after its grace period.
"""

import importlib
import os
import signal
import sys
from typing import NoReturn


def run_service(module: str) -> NoReturn:
    """Import *module*, call its `main`, and end the process with the status that it exits with."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        importlib.import_module(module).main()
    except SystemExit as ended:
        _end_with(ended.code if isinstance(ended.code, int) else 0)
    _end_with(0)


def _end(*_: object) -> None:
    # Until the service handles signals itself nothing is open. An exception might be caught by what is being imported.
    os._exit(0)


def _end_with(status: int) -> NoReturn:
    """End without waiting for threads: one of the database driver may wait for a server that hangs, without limit.

    By now the service has closed everything that it opened, or has given it up.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
