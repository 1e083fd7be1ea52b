"""`dondoc keys`: made once and shown once, listed without secrets, rotated with overlap, revoked."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.events.facts import ACCEPTED, RETURNED, SUBMITTED
from services.console.commands.intake import keys
from services.intake.http import api_keys
from services.runtime.access import bearer_keys

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
    named = bearer_keys.read_authorization(api_keys.BEARER_PREFIX, f"Bearer {row['key']}")
    assert named is not None
    assert named[1] not in path.read_text()
    (key,) = api_keys.read_keys(path)
    assert (key.id, key.sha256) == (named[0], bearer_keys.digest_secret(named[1]))
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


def test_a_key_says_what_it_may_claim(path: Path) -> None:
    """Sources, proofs and reviews are kept, shown when it is made, and listed."""
    options = ["--source", "urn:qlvb", "--source", "urn:truc:*", "--proof", "exchange-log", "--reviews"]
    made = create_key(path, "--agency", "*", *options)
    shown = {name: made[name] for name in ("sources", "proofs", "reviews")}
    assert shown == {"sources": ["urn:qlvb", "urn:truc:*"], "proofs": ["exchange-log"], "reviews": True}
    assert run(path, "list") == (0, [{name: value for name, value in made.items() if name != "key"}])


def test_a_key_claims_nothing_that_is_not_said(path: Path) -> None:
    """It may use sources that no other key names, states no proof, judges no report, and is told so."""
    result = CliRunner().invoke(keys.app, ["create", "--system", "qlvb", "--agency", "*", "--keys", str(path)])
    row = json.loads(result.stdout)
    assert [row[name] for name in ("sources", "proofs", "reviews", "decisions")] == [["*"], [], False, False]
    assert "--source" in result.stderr
    assert create_key(path, "--agency", "*", "--proof", "none")["proofs"] == []


def test_a_key_ends_and_has_a_rate_by_default(path: Path) -> None:
    """After a year, at a rate that is shown."""
    made = create_key(path, "--agency", "*")
    lifetime = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert timedelta(days=365) <= lifetime <= timedelta(days=366)
    assert made["events_per_second"] == 1_000


NOT_OF_REPORTING: tuple[tuple[list[str], str], ...] = (
    ([], "--reviews"),
    (["--reviews", "--decisions"], "--decisions"),
    (["--reviews", "--source", "urn:qlvb"], "--source"),
    (["--reviews", "--proof", "postmark"], "--proof"),
    (["--reviews", "--type", "*"], "--type"),
)


def test_reporting_has_a_key_that_answers_reports_and_does_nothing_else(path: Path) -> None:
    """Only a key for reviews alone gets reporting's own source; it is put into a file, and is made once."""
    save = path.with_name("reporting.key")
    options = ("--agency", "*", "--source", "urn:dondoc:reporting", "--reviews", "--save", str(save))
    made = create_key(path, *options)
    assert (made["sources"], made["types"]) == (["urn:dondoc:reporting"], [ACCEPTED, RETURNED])
    assert (save.stat().st_mode & 0o777, "key" in made) == (0o600, False)
    bearer = save.read_text(encoding="ascii").strip()
    (key,) = api_keys.read_keys(path)
    assert bearer.startswith(f"ddk_{key.id}_")
    assert key.scope.covers_type(RETURNED)
    assert not key.scope.covers_type(SUBMITTED)
    again = CliRunner().invoke(keys.app, ["create", "--system", "a", *options, "--keys", str(path)])
    assert (again.exit_code, again.stdout, len(api_keys.read_keys(path))) == (0, "", 1)
    assert save.read_text(encoding="ascii").strip() == bearer


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (["--source", ""], "urn:qlvb"),
        (["--source", "a b"], "urn:qlvb"),
        (["--source", "urn:dondoc:form"], "product's own"),
        (["--source", "URN:Dondoc:*"], "product's own"),
        (["--source", "urn:" + "x" * 1_024], "urn:qlvb"),
        (["--proof", "word of honour"], "exchange-log"),
        (["--type", "vn.dondoc.report.returned.v1"], "--reviews"),
        *((["--source", "urn:dondoc:reporting", *more], f"see {wrong}") for more, wrong in NOT_OF_REPORTING),
    ],
)
def test_a_claim_that_cannot_be_made_is_refused_with_the_remedy(path: Path, options: list[str], remedy: str) -> None:
    """A source that is none or the product's own, a proof that does not count, a review without the right to it."""
    result = CliRunner().invoke(keys.app, ["create", "--system", "a", "--agency", "*", *options, "--keys", str(path)])
    assert (result.exit_code, result.stdout, remedy in result.stderr) == (2, "", True)
    assert not path.exists()


def test_a_source_is_compared_in_one_unicode_form(path: Path) -> None:
    """Intake composes what it receives, so a source that was typed decomposed is kept composed."""
    assert create_key(path, "--agency", "*", "--source", "urn:so\u031b\u0309")["sources"] == ["urn:s\u1edf"]


def test_a_key_that_takes_the_place_of_another_may_claim_the_same(path: Path) -> None:
    """What is given replaces what the rotated key has; of agencies and groups, both together."""
    claims = ["--source", "urn:qlvb", "--proof", "postmark", "--decisions", "--type", "*"]
    old = create_key(path, "--agency", "so-tc", "--group", "huyen", *claims)
    named = ("agencies", "groups", "types", "sources", "proofs", "decisions", "reviews")
    same = create_key(path, "--rotates", old["id"])
    assert [same[name] for name in named] == [old[name] for name in named]
    other = create_key(path, "--rotates", same["id"], "--agency", "so-tp", "--source", "urn:other")
    assert [other[name] for name in named[:4]] == [["so-tp"], [], ["*"], ["urn:other"]]


def test_the_list_warns_of_a_system_whose_last_key_ends_soon(path: Path) -> None:
    """Not of a key that has a successor."""
    old = create_key(path, "--agency", "*", "--valid-for", "P10D")
    listed = CliRunner().invoke(keys.app, ["list", "--keys", str(path)])
    assert ("qlvb" in listed.stderr, "--rotates" in listed.stderr) == (True, True)
    create_key(path, "--rotates", old["id"])
    assert CliRunner().invoke(keys.app, ["list", "--keys", str(path)]).stderr == ""
