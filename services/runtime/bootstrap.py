"""What the process of a service does before it serves: its settings are read or refused, its logs begin.

Whoever starts it with a setting that cannot be is told which in a line, not where in our code it was found.
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

GC_THRESHOLDS = (50_000, 20, 100)

Settings = TypeVar("Settings", bound=ServiceSettings)

log = logging.getLogger(__name__)


def initialise(service: str, kind: type[Settings]) -> Settings:
    """Return the settings of *kind*, with the logs of *service* begun; end the process if they cannot be."""
    renamed = adopt_renamed_variables(os.environ, kind.renamed)
    try:
        loaded = kind()
    except ValidationError as cause:
        sys.stderr.write("".join(f"{fault}\n" for fault in settings.describe_errors(cause)))
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
        environment.setdefault(new, environment[old])
    return used


def relax_garbage_collection() -> None:
    """Let the collector of circles look seldom, where work makes many objects and no circle.

    As often as Python does by default it costs a request a tenth, a fact a fifth, a chunk of alerts half.
    """
    gc.set_threshold(*GC_THRESHOLDS)
