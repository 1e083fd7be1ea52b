"""`python -m services.notifier`: run the notifier until it is told to stop."""

from services.notifier.app import build_app
from services.notifier.settings import NotifierSettings
from services.runtime import beginning, serve


def main() -> None:
    """Read the settings from the environment and serve."""
    beginning.collect_seldom()
    settings = beginning.begin("notifier", NotifierSettings)
    halt = serve.Halt()
    serve.run(build_app(settings, halt=halt), host=settings.host, port=settings.port, halt=halt)


if __name__ == "__main__":
    main()
