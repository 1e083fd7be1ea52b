"""`dondoc dead-letters`: what cannot be meant is refused before any broker is asked."""

import pytest
from typer.testing import CliRunner

from services.console.main import app


@pytest.mark.parametrize("name", ["facts", "facts/3", "fact/3/17", "facts/3/-1", "facts/x/17"])
@pytest.mark.parametrize("command", ["show", "replay"])
def test_a_name_that_no_record_can_have_is_refused(command: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form is told, although the broker does not answer."""
    monkeypatch.setenv("DONDOC_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    result = CliRunner().invoke(app, ["dead-letters", command, "--", name])
    expected = f"{name}: write TOPIC/PARTITION/OFFSET, for example facts/3/17\n"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", expected)
