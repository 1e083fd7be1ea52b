"""`python -m services.intake`: run intake until it is told to stop."""

from services.intake.app import build_app
from services.intake.settings import IntakeSettings
from services.runtime import beginning, serve
from services.runtime.serve import Halt


def main() -> None:
    """Read the settings, configure the logs, serve."""
    beginning.collect_seldom()
    settings = beginning.begin("intake", IntakeSettings)
    halt = Halt()
    serve.run(build_app(settings, halt), host=settings.host, port=settings.port, halt=halt, tls=settings.tls)


if __name__ == "__main__":
    main()
