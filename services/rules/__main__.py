"""Run rules: `python -m services.rules`."""

from services.rules.app import build_app
from services.rules.settings import RulesSettings
from services.runtime import process, serve


def main() -> None:
    """Serve until told to stop."""
    process.collect_seldom()
    settings = process.begin("rules", RulesSettings)
    halt = serve.Halt()
    serve.run(build_app(settings, halt=halt), host=settings.host, port=settings.port, halt=halt)


if __name__ == "__main__":
    main()
