"""What the process of a service does before it serves: its settings are read or refused, its logs begin.

Whoever starts it with a setting that cannot be is told which in a line, not where in our code it was found.
"""

import gc
import sys
from typing import TypeVar

from pydantic import ValidationError

from services.runtime import logs, settings
from services.runtime.clock import clock_from
from services.runtime.settings import ServiceSettings

GC_THRESHOLDS = (50_000, 20, 100)

Settings = TypeVar("Settings", bound=ServiceSettings)


def initialise(service: str, kind: type[Settings]) -> Settings:
    """Return the settings of *kind*, with the logs of *service* begun; end the process if they cannot be."""
    try:
        loaded = kind()
    except ValidationError as cause:
        sys.stderr.write("".join(f"{fault}\n" for fault in settings.describe_errors(cause)))
        sys.exit(settings.EXIT_UNUSABLE)
    logs.configure(service, loaded.log_level, clock_from(loaded.clock))
    return loaded


def relax_garbage_collection() -> None:
    """Let the collector of circles look seldom, where work makes many objects and no circle.

    As often as Python does by default it costs a request a tenth, a fact a fifth, a chunk of alerts half.
    """
    gc.set_threshold(*GC_THRESHOLDS)
