"""`dondoc keys`: made once and shown once, listed without secrets, rotated with overlap, revoked."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.console.commands.intake import keys
from services.intake.http import api_keys

Json = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of keys, which is not there yet."""
    return tmp_path / "keys.json"


def run(path: Path, *arguments: str) -> tuple[int, list[Json]]:
    """Run `dondoc keys`; return the exit code and the rows on stdout."""
    result = CliRunner().invoke(keys.app, [*arguments, "--keys", str(path)])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def create_key(path: Path, *options: str) -> Json:
    """Create a key and return its row."""
    code, (row,) = run(path, "create", "--system", "qlvb", *options)
    assert code == 0
    return row


def test_a_key_is_shown_once_and_only_its_digest_is_kept(path: Path) -> None:
    """The file holds the digest and not the secret, and only its owner may read it."""
    row = create_key(path, "--agency", "so-tc")
    named = api_keys.parse_bearer(row["key"])
    assert named is not None
    assert named[1] not in path.read_text()
    (key,) = api_keys.read_keys(path)
    assert (key.id, key.sha256) == (named[0], api_keys.secret_digest(named[1]))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_needs_somebody_to_post_for(path: Path) -> None:
    """A key without agency and group is refused."""
    assert run(path, "create", "--system", "qlvb") == (2, [])


def test_a_key_makes_no_decisions_unless_it_is_said(path: Path) -> None:
    """A key for all types may post decisions only with `--decisions`."""
    assert not create_key(path, "--agency", "*")["decisions"]
    assert create_key(path, "--agency", "*", "--decisions")["decisions"]


def test_the_list_has_no_secrets(path: Path) -> None:
    """The list shows scope, rate and expiry of each key and no secret."""
    create_key(path, "--group", "ubnd-huyen", "--valid-for", "P1Y", "--rate", "5")
    code, (row,) = run(path, "list")
    assert code == 0
    assert "key" not in row
    assert (row["groups"], row["events_per_second"]) == (["ubnd-huyen"], 5.0)
    assert datetime.fromisoformat(row["expires_at"]) > datetime.now(UTC) + timedelta(days=364)  # noqa: TID251 - from now


def test_a_rotated_key_stays_good_for_the_overlap(path: Path) -> None:
    """A rotated key is valid until the end of the overlap and no longer."""
    old = create_key(path, "--agency", "*")["id"]
    create_key(path, "--agency", "*", "--rotates", old, "--overlap", "P2D")
    by_id = {key.id: key for key in api_keys.read_keys(path)}
    now = datetime.now(UTC)  # noqa: TID251 - from now
    assert by_id[old].is_valid_at(now + timedelta(days=1))
    assert not by_id[old].is_valid_at(now + timedelta(days=3))


def test_a_revoked_key_is_not_good_any_more(path: Path) -> None:
    """A revoked key is invalid at once, and an unknown key id exits 2."""
    made = create_key(path, "--agency", "*")["id"]
    assert run(path, "revoke", made)[0] == 0
    (key,) = api_keys.read_keys(path)
    assert not key.is_valid_at(datetime.now(UTC))  # noqa: TID251 - from now
    assert run(path, "revoke", "nobody")[0] == 2


@pytest.mark.parametrize("content", ["{", '{"keys": [{"id": "x"}]}', "[]"])
def test_a_broken_file_is_unusable_input_and_stays_as_it_is(path: Path, content: str) -> None:
    """A file of keys that cannot be read exits 2 and is not overwritten."""
    path.write_text(content)
    assert run(path, "create", "--system", "qlvb", "--agency", "*")[0] == 2
    assert path.read_text() == content


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "-inf", "1e-320"])
def test_a_rate_is_a_number_above_zero(path: Path, rate: str) -> None:
    """A rate that is not above zero and finite is refused, and no key is created."""
    assert run(path, "create", "--system", "qlvb", "--agency", "*", "--rate", rate) == (2, [])
    assert not path.exists()


@pytest.mark.parametrize("span", ["P99999Y", "P9999999999D", "-P1D", "P0D", "P0.5Y", "1 year", "", "P", "PT1E9999H"])
def test_a_key_is_good_for_a_while_that_can_be_counted(path: Path, span: str) -> None:
    """A validity beyond the calendar or without length is refused, and no key is created."""
    assert run(path, "create", "--system", "qlvb", "--agency", "*", "--valid-for", span) == (2, [])
    assert not path.exists()


def test_an_overlap_may_be_none_but_not_in_the_past(path: Path) -> None:
    """An overlap of zero ends the old key at once; a negative one is refused."""
    old = create_key(path, "--agency", "*")["id"]
    assert run(path, "create", "--system", "qlvb", "--agency", "*", "--rotates", old, "--overlap", "-P1D") == (2, [])
    create_key(path, "--agency", "*", "--rotates", old, "--overlap", "P0D")
    by_id = {key.id: key for key in api_keys.read_keys(path)}
    assert not by_id[old].is_valid_at(datetime.now(UTC))  # noqa: TID251 - from now


def test_a_system_has_a_name(path: Path) -> None:
    """A system without a printable name is refused; an argument of a terminal may hold bytes that are no text."""
    for name in ("", " ", "a\udcff", "a\n"):
        assert run(path, "create", "--system", name, "--agency", "*") == (2, [])


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (["--group", "*"], "--agency '*'"),
        (["--agency", " "], "--agency"),
        (["--agency", "*", "--type", "vn.nonsense"], "vn.dondoc.report.submitted.v1"),
        (["--agency", "*", "--type", "vn.dondoc.extension.granted.v1"], "--decisions"),
    ],
)
def test_a_key_that_nobody_could_use_is_refused_with_the_remedy(path: Path, options: list[str], remedy: str) -> None:
    """A key that nobody could use is refused when it is created, and the message names the remedy."""
    result = CliRunner().invoke(keys.app, ["create", "--system", "qlvb", *options, "--keys", str(path)])
    assert (result.exit_code, result.stdout, remedy in result.stderr) == (2, "", True)
    assert not path.exists()


def test_a_key_for_named_types_is_made(path: Path) -> None:
    """A key may be limited to named types, decisions among them if it may decide."""
    types = ["vn.dondoc.extension.granted.v1", "vn.dondoc.report.submitted.v1"]
    options = [part for one in types for part in ("--type", one)]
    assert create_key(path, "--agency", "*", *options, "--decisions")["types"] == types


@pytest.mark.parametrize("command", [["create", "--system", "qlvb", "--agency", "*"], ["revoke", "x"], ["list"]])
def test_a_place_that_cannot_hold_keys_is_named(tmp_path: Path, command: list[str]) -> None:
    """A file of keys that cannot be created exits 2 and names the place."""
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "keys.json"
    result = CliRunner().invoke(keys.app, [*command, "--keys", str(place)])
    assert (result.exit_code, str(tmp_path / "file") in result.stderr) == (2, True)
