"""`python -m services.reporting`: the service as a process."""

from services.reporting.app import build_app
from services.reporting.settings import ReportingSettings
from services.runtime import beginning, serve


def main() -> None:
    """Run until told to stop."""
    settings = beginning.begin("reporting", ReportingSettings)
    app = build_app(settings)
    serve.run(app, host=settings.host, port=settings.port, halt=app.halt)


if __name__ == "__main__":
    main()
