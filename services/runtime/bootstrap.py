"""The start of a service's process: load its settings, configure its logs, tune the garbage collector.

An invalid setting is reported in one line that names it, without a traceback.
"""

import gc
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import TypeVar

from pydantic import ValidationError

from services.runtime import logs, settings
from services.runtime.clock import clock_from
from services.runtime.settings import ServiceSettings

GC_THRESHOLDS = (50_000, 20, 100)  # Python 3.11's default is (700, 10, 10)
PROMPT_GC_THRESHOLDS = (10_000, 10, 100)
SWITCH_SECONDS = 0.001  # between threads that want to run

Settings = TypeVar("Settings", bound=ServiceSettings)

log = logging.getLogger(__name__)


def initialise(service: str, kind: type[Settings]) -> Settings:
    """Load the settings of *kind* and configure the logs of *service*; end the process if a setting is invalid."""
    renamed = adopt_renamed_variables(os.environ, kind.renamed)
    try:
        loaded = kind()
    except ValidationError as cause:
        sys.stderr.write("".join(f"{line}\n" for line in settings.describe_errors(cause)))
        sys.exit(settings.EXIT_UNUSABLE)
    logs.configure(service, loaded.log_level, clock_from(loaded.clock))
    for old, new in renamed.items():
        log.warning("a setting has a new name", extra={"action": "setting_renamed", "old": old, "new": new})
    return loaded


def adopt_renamed_variables(environment: MutableMapping[str, str], renamed: Mapping[str, str]) -> dict[str, str]:
    """Set each new name in *environment* to the value of its old one, unless it is set; return the pairs in use.

    Old names are accepted for one version, so that an upgrade does not silently fall back to a default.
    """
    used = {old: new for old, new in renamed.items() if environment.get(old)}
    for old, new in used.items():
        # An empty variable counts as not set (`env_ignore_empty`), as `${NAME:-}` in a compose file leaves it.
        environment[new] = environment.get(new) or environment[old]
    return used


def relax_garbage_collection() -> None:
    """Let the cyclic garbage collector run rarely: the work of a service creates many objects and no cycles.

    At Python's default thresholds the collector takes a tenth of the time of a request in intake, a fifth of that of a
    fact in rules and half of that of a chunk of alerts in the notifier. Over the duties of ten thousand agencies that
    reporting holds, a full collection stops everything for tenths of a second.
    """
    gc.set_threshold(*GC_THRESHOLDS)


def collect_garbage_in_portions() -> None:
    """Let no collection of young objects walk more than a hundred thousand, which takes 10 ms.

    Under the thresholds of `relax_garbage_collection` it is a million. A service that decodes a hundred thousand
    documents beside its answers stops for tenths of a second in such a collection.
    """
    gc.set_threshold(*PROMPT_GC_THRESHOLDS)


def answer_while_computing() -> None:
    """Let a thread that computes give way five times as soon as Python's default has it, which is 5 ms.

    An answer on the event loop takes the interpreter back after each send and receive. Beside a thread that lays out a
    page of ten thousand agencies a probe would wait for that time again and again.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
