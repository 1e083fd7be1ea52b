"""Run rules: `python -m services.rules`."""

from services.rules.app import build_app
from services.rules.settings import RulesSettings
from services.runtime import logs, serve
from services.runtime.clock import clock_from


def main() -> None:
    """Serve until told to stop."""
    settings = RulesSettings()
    logs.configure("rules", settings.log_level, clock_from(settings.clock))
    halt = serve.Halt()
    serve.run(build_app(settings, halt=halt), host=settings.host, port=settings.port, halt=halt)


if __name__ == "__main__":
    main()
