"""`python -m services.notifier`: run the notifier until it is told to stop."""

from services.notifier.app import build_app
from services.notifier.settings import NotifierSettings
from services.runtime import bootstrap
from services.runtime.http import server


def main() -> None:
    """Read the settings from the environment and serve."""
    bootstrap.relax_garbage_collection()
    settings = bootstrap.initialise("notifier", NotifierSettings)
    halt = server.Halt()
    server.run(build_app(settings, halt=halt), host=settings.host, port=settings.port, halt=halt)


if __name__ == "__main__":
    main()
