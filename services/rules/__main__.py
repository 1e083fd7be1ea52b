"""Run rules: `python -m services.rules`."""

from services.rules.app import build_app
from services.rules.settings import RulesSettings
from services.runtime import beginning, serve


def main() -> None:
    """Serve until told to stop."""
    beginning.collect_seldom()
    settings = beginning.begin("rules", RulesSettings)
    halt = serve.Halt()
    serve.run(build_app(settings, halt=halt), host=settings.host, port=settings.port, halt=halt)


if __name__ == "__main__":
    main()
