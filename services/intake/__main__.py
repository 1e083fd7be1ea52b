"""`python -m services.intake`: run intake until a signal stops it."""

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
    listener = server.listen(settings.host, settings.port, share_port=settings.workers > 0)
    app = build_app(settings, halt, port=listener.getsockname()[1])
    server.run(app, listener, halt=halt, tls=settings.tls)


if __name__ == "__main__":
    main()
