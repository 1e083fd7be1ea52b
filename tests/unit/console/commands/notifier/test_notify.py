"""`dondoc notify` and `dondoc deliveries` refuse what is not clear, before they ask the database."""

import pytest
from typer.testing import CliRunner

from services.console.main import app

WHO = ("--author", "B", "--reason", "R")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("notify", "stop", *WHO), "one of --all, --route, --plan and --agency"),
        (("notify", "stop", "--all", "--plan", "P-1", *WHO), "one of --all, --route, --plan and --agency"),
        (("notify", "stop", "--all", "--author", " ", "--reason", "R"), "--author is empty"),
        (("notify", "silence", "--all", *WHO, "--until", "2030-01-01"), "--until"),
        (("notify", "silence", "--all", *WHO, "--until", "2020-01-01T00:00:00+07:00"), "that is past"),
        (("deliveries", "list", "--state", "lost"), "--state lost: write one of due, claimed, begun, accepted"),
        (("deliveries", "list", "--since", "yesterday"), "--since"),
        (("deliveries", "show", "../x"), "is no id of a delivery"),
        (("deliveries", "resend", *WHO), "name a delivery, or select some"),
    ],
)
def test_what_is_not_clear_is_refused_with_its_fix(arguments: tuple[str, ...], said: str) -> None:
    """The message names the option and how to write it, and the exit code is 2."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_silence_needs_an_end() -> None:
    """Without `--until` it would be a stop."""
    assert CliRunner().invoke(app, ["notify", "silence", "--all", *WHO]).exit_code == 2
