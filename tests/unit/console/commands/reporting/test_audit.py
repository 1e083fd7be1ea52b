"""`dondoc audit`: what cannot be meant is refused before any log is read."""

import pytest
from typer.testing import CliRunner

from services.console.main import app


def test_a_period_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forms of a period are told, although the broker does not answer."""
    monkeypatch.setenv("DONDOC_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    result = CliRunner().invoke(app, ["audit", "6766-KH-UBND", "20x"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("PERIOD: '20x' is not a reporting period")
