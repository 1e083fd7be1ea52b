"""`python -m services.intake`: run intake until it is told to stop."""

from services.intake.app import build_app
from services.intake.settings import IntakeSettings
from services.runtime import bootstrap
from services.runtime.http import server
from services.runtime.http.server import Halt


def main() -> None:
    """Read the settings, configure the logs, serve."""
    bootstrap.relax_garbage_collection()
    settings = bootstrap.initialise("intake", IntakeSettings)
    halt = Halt()
    server.run(build_app(settings, halt), host=settings.host, port=settings.port, halt=halt, tls=settings.tls)


if __name__ == "__main__":
    main()
