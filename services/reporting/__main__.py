"""`python -m services.reporting`: the service as a process."""

from services.reporting.app import build_app
from services.reporting.settings import ReportingSettings
from services.runtime import bootstrap
from services.runtime.http import server


def main() -> None:
    """Run until a signal stops it."""
    settings = bootstrap.initialise("reporting", ReportingSettings)
    app = build_app(settings)
    server.run(app, server.listen(settings.host, settings.port, share_port=False), halt=app.halt)


if __name__ == "__main__":
    main()
