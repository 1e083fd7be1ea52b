"""`dondoc links`: what is revoked is written down, and what cannot be meant is refused."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.console.main import app
from services.runtime.access import link_revocations


def run(path: Path, *arguments: str) -> Result:
    """Run `dondoc links` on the file *path*."""
    return CliRunner().invoke(app, ["links", *arguments, "--file", str(path)])


def test_revocations_are_added_and_listed(tmp_path: Path) -> None:
    """Each revocation is kept with its reason; the file is readable by its owner only."""
    path = tmp_path / "links.json"
    assert run(path, "list").stdout == ""
    assert run(path, "revoke", "--agency", "h-mot", "--reason", "forwarded").exit_code == 0
    before = "2026-01-01T00:00:00+07:00"
    assert run(path, "revoke", "--all", "--before", before, "--reason", "mailbox leaked").exit_code == 0
    listed = [json.loads(line) for line in run(path, "list").stdout.splitlines()]
    assert [(one["agency"], one["reason"]) for one in listed] == [("h-mot", "forwarded"), (None, "mailbox leaked")]
    assert listed[1]["before"] == "2025-12-31T17:00:00+00:00"
    assert path.stat().st_mode & 0o077 == 0
    assert len(link_revocations.read_revocations(path)) == 2


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--agency", "h-mot", "--all"),
        ("--all", "--before", "2999-01-01T00:00:00Z"),
        ("--all", "--before", "2026-01-01"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Nobody, one and everybody at once, and links of the future exit 2 and change nothing."""
    path = tmp_path / "links.json"
    assert run(path, "revoke", "--reason", "x", *options).exit_code == 2
    assert not path.exists()


def test_a_broken_file_is_named_and_kept(tmp_path: Path) -> None:
    """A file that is none exits 2 and is not overwritten."""
    path = tmp_path / "links.json"
    path.write_text("{")
    for arguments in (("list",), ("revoke", "--all", "--reason", "x")):
        done = run(path, *arguments)
        assert done.exit_code == 2
        assert str(path) in done.stderr
    assert path.read_text() == "{"
