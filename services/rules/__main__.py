"""Run rules: `python -m services.rules`."""

from services.rules.app import build_app
from services.rules.settings import RulesSettings
from services.runtime import bootstrap
from services.runtime.http import server


def main() -> None:
    """Serve until told to stop."""
    bootstrap.relax_garbage_collection()
    settings = bootstrap.initialise("rules", RulesSettings)
    halt = server.Halt()
    server.run(build_app(settings, halt=halt), host=settings.host, port=settings.port, halt=halt)


if __name__ == "__main__":
    main()
