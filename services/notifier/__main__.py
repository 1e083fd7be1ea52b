"""`python -m services.notifier`: run the notifier until it is told to stop."""

import gc

from services.notifier.app import build_app
from services.notifier.settings import NotifierSettings
from services.runtime import logs, serve
from services.runtime.clock import clock_from

# A chunk of alerts makes tens of thousands of objects and no cycle: collecting as often as Python does by default costs
# half of the throughput and frees nothing.
COLLECT_AFTER = (50_000, 20, 100)


def main() -> None:
    """Read the settings from the environment and serve."""
    gc.set_threshold(*COLLECT_AFTER)
    settings = NotifierSettings()
    logs.configure("notifier", settings.log_level, clock_from(settings.clock))
    halt = serve.Halt()
    serve.run(build_app(settings, halt=halt), host=settings.host, port=settings.port, halt=halt)


if __name__ == "__main__":
    main()
