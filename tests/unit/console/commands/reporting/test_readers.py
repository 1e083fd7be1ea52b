"""`dondoc readers`: made once and shown once, listed without secrets, revoked, and let in by a link."""

import json
import stat
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from services.console.commands.reporting import readers
from services.reporting.http.access import reader_keys
from services.runtime.access import bearer_keys

Json = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of readers, which is not there yet."""
    return tmp_path / "readers.json"


def run(path: Path, *arguments: str) -> tuple[int, list[Json], str]:
    """Run `dondoc readers`; return the exit code, the rows on stdout, and what was said."""
    result = CliRunner().invoke(readers.app, [*arguments, "--readers", str(path)])
    rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    return result.exit_code, rows, result.stderr


def create_reader(path: Path, *options: str) -> Json:
    """Create a reader and return its row."""
    code, (row,), said = run(path, "create", "--name", "Lê Thị B", *options)
    assert code == 0, said
    return row


def test_a_key_is_shown_once_and_only_its_digest_is_kept(path: Path) -> None:
    """The file holds the digest and not the secret, and only its owner may read it and the key of links."""
    row = create_reader(path, "--scope", "group:ubnd-huyen", "--scope", "sealed", "--reviews")
    named = bearer_keys.read_authorization(reader_keys.BEARER_PREFIX, f"Bearer {row['key']}")
    assert named is not None
    assert named[1] not in path.read_text()
    (key,) = reader_keys.read_readers(path)
    assert (key.reader.id, key.sha256) == (named[0], bearer_keys.digest_secret(named[1]))
    assert (row["scopes"], row["reviews"], row["seals"]) == (["group:ubnd-huyen", "sealed"], True, False)
    files = (path, reader_keys.link_key_path(path))
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 2


def test_the_list_has_no_secrets(path: Path) -> None:
    """A listed reader is the created one without its key."""
    row = create_reader(path, "--scope", "all")
    secret = row.pop("key")
    assert run(path, "list")[:2] == (0, [row])
    assert secret not in path.read_text()


@pytest.mark.parametrize(
    "options, said",
    [
        (["--scope", "everything"], "'everything' is no scope; write all, group:ID, agency:ID or sealed"),
        (["--scope", "sealed", "--reviews"], "--reviews: a reader of sealed reports alone"),
        (["--scope", "agency:h-01", "--seals"], "--seals: an annual report names every agency; add --scope all"),
        (["--scope", "all", "--valid-for", "P0D"], "--valid-for: 'P0D' is over before"),
    ],
)
def test_a_reader_that_could_do_nothing_is_refused(path: Path, options: list[str], said: str) -> None:
    """The message names the option and the remedy."""
    code, rows, error = run(path, "create", "--name", "x", *options)
    assert (code, rows, said in error) == (2, [], True)


def test_a_reader_that_is_revoked_is_kept_and_gets_no_link(path: Path) -> None:
    """Audit lines name the reader by its id, so it stays in the file; a link for it would open nothing."""
    reader = create_reader(path, "--scope", "all")
    assert run(path, "revoke", "Lê Thị B")[0] == 0
    (key,) = reader_keys.read_readers(path)
    assert (key.reader.id, key.revoked_at is not None) == (reader["id"], True)
    code, rows, said = run(path, "link", reader["id"])
    assert (code, rows, "was revoked; create a new reader" in said) == (2, [], True)
    assert run(path, "revoke", "nobody")[0] == 2


def test_a_link_names_its_reader_and_its_end(path: Path) -> None:
    """The link is signed with the key beside the file, leads to the given address, and is good for a day."""
    reader = create_reader(path, "--scope", "all")
    code, (row,), _ = run(path, "link", reader["id"], "--url", "https://theodoi.example/")
    address = urlsplit(row["link"])
    assert (code, address.hostname, address.path) == (0, "theodoi.example", "/open")
    key = reader_keys.read_link_key(path)
    assert key is not None
    link = key.verify_link(parse_qs(address.query)["t"][0])
    assert (link.reader, (link.expires_at - link.issued_at).days) == (reader["id"], 1)
    assert datetime.fromisoformat(row["expires_at"]) == link.expires_at


def test_two_readers_of_one_name_are_told_apart_by_their_ids(path: Path) -> None:
    """A name that two readers bear is refused where one is meant."""
    first, _ = create_reader(path, "--scope", "all"), create_reader(path, "--scope", "all")
    assert run(path, "link", "Lê Thị B")[0] == 2
    assert run(path, "link", first["id"])[0] == 0
