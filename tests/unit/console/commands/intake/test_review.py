"""`dondoc return` and `dondoc accept` without any intake: what is malformed is named before anything is sent."""

import json

import pytest
from typer.testing import CliRunner, Result

from schemas.events.facts import ACCEPTED, RETURNED
from services.console.commands.intake import review
from services.console.main import app

DUTY = ("P-1", "results", "2024", "h-mot")
KEY = ("--key", "ddk_0a1b2c3d4e_secret", "--url", "http://127.0.0.1:9", "--attempts", "1")


def run(command: str, *arguments: str) -> Result:
    """Run one of the commands."""
    return CliRunner().invoke(app, [command, *arguments])


@pytest.mark.parametrize("command", ["return", "accept"])
def test_help_names_what_is_needed(command: str) -> None:
    """Each command explains itself."""
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "--submission" in result.stdout


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (("--reason", " "), "reason"),
        (("--respond-by", "2024-12-21"), "respond-by"),
        (("--respond-by", "2024-12-21T00:00:00"), "respond-by"),
    ],
)
def test_what_is_malformed_is_unusable_input(changes: tuple[str, ...], named: str) -> None:
    """A blank reason and a term without time or offset are refused by name, and nothing is sent."""
    result = run("return", *DUTY, "--submission", "s-1", "--reason", "x", *changes, *KEY)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr


def test_without_an_intake_the_answer_is_negative() -> None:
    """An intake that cannot be reached refuses nothing for good, and the command says so with exit 1."""
    result = run("accept", *DUTY, "--submission", "s-1", *KEY)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be reached" in result.stderr


def test_the_same_answer_twice_is_one_event() -> None:
    """The id derives from what is said: another reason makes another event, and a one-off duty has no period."""
    data = {"plan": "P-1", "obligation": "results", "agency": "h-mot", "submission": "s-1"}
    returned = data | {"reason": "x", "respond_by": None, "returned_by": "bank"}
    first, again, other = (
        json.loads(review._build_event(RETURNED, one, review.SOURCE))
        for one in (returned, dict(reversed(returned.items())), returned | {"reason": "y"})
    )
    assert first["id"] == again["id"] != other["id"]
    accepted = json.loads(review._build_event(ACCEPTED, data | {"note": "", "accepted_by": "bank"}, "urn:bank"))
    assert (accepted["type"], accepted["subject"], accepted["source"]) == (ACCEPTED, "h-mot", "urn:bank")
    assert "period" not in accepted["data"]
