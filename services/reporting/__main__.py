"""`python -m services.reporting`: the service as a process."""

from services.reporting.app import build_app
from services.reporting.settings import ReportingSettings
from services.runtime import logs, serve
from services.runtime.clock import clock_from


def main() -> None:
    """Run until told to stop."""
    settings = ReportingSettings()
    logs.configure("reporting", settings.log_level, clock_from(settings.clock))
    app = build_app(settings)
    serve.run(app, host=settings.host, port=settings.port, halt=app.halt)


if __name__ == "__main__":
    main()
