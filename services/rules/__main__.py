"""Run rules: `python -m services.rules`."""

import gc

from services.rules.app import build_app
from services.rules.settings import RulesSettings
from services.runtime import logs, serve
from services.runtime.clock import clock_from

# Facts and duties are kept for long and hold no cycles: collecting as often as Python does by default costs a fifth
# of the throughput and frees nothing.
COLLECT_AFTER = (50_000, 20, 100)


def main() -> None:
    """Serve until told to stop."""
    gc.set_threshold(*COLLECT_AFTER)
    settings = RulesSettings()
    logs.configure("rules", settings.log_level, clock_from(settings.clock))
    halt = serve.Halt()
    serve.run(build_app(settings, halt=halt), host=settings.host, port=settings.port, halt=halt)


if __name__ == "__main__":
    main()
