"""The file of keys and the authentication of requests."""

import logging
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest

from services.intake.asgi import RequestRefusedError
from services.intake.core.problems import AuthenticationFailure, Refusal
from services.intake.http import api_keys
from services.intake.http.api_keys import ApiKeys
from services.runtime.access import bearer_keys
from services.runtime.access.refusal_log import RefusalLog
from services.runtime.clock import SystemClock
from tests.support.builders.keys import a_key, a_scope

SECRET = "s" * 43
ADDRESS = "10.0.0.1"
FILE_OF_VERSION_0_1 = """{"keys": [{"id": "k-1", "system": "qlvb", "sha256": "%s", "agencies": ["so-tc"],
"groups": [], "types": ["*"], "may_decide": false, "created_at": "2026-01-01T00:00:00Z", "expires_at": null,
"revoked_at": null, "events_per_second": null}]}"""


class Door:
    """The keys of a file, and the failures that were counted."""

    def __init__(self, path: Path) -> None:
        self.counted: Counter[AuthenticationFailure] = Counter()
        self.refusals: RefusalLog[AuthenticationFailure] = RefusalLog(
            "unauthenticated", lines_max=1, count=lambda failure: self.counted.update([failure])
        )
        self.keys = ApiKeys(path, SystemClock(), self.refusals)
        self.keys.load()

    def refuse(self, authorization: str | None, address: str = ADDRESS) -> Refusal:
        """Return the refusal of a request that is not authenticated."""
        with pytest.raises(RequestRefusedError) as refused:
            self.keys.authenticate(authorization, address)
        return refused.value.refusal


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """One valid key and one that has expired."""
    path, digest = tmp_path / "keys.json", bearer_keys.digest_secret(SECRET)
    expired = a_key("k-old", sha256=digest, expires_at=datetime(2026, 1, 2, tzinfo=UTC))
    api_keys.write_keys(path, [a_key("k-1", sha256=digest), expired])
    return Door(path)


def bearer(key_id: str, secret: str = SECRET) -> str:
    """The header with which the key of that id is shown."""
    return f"Bearer {api_keys.format_bearer(key_id, secret)}"


def test_what_a_key_may_claim_is_kept_in_the_file(tmp_path: Path) -> None:
    """Every member of a scope is read as it was written."""
    path = tmp_path / "keys.json"
    scope = a_scope("urn:a", "urn:b:*", proofs=frozenset({"postmark"}), may_review=True, may_decide=True)
    api_keys.write_keys(path, [a_key(scope=scope)])
    assert [key.scope for key in api_keys.read_keys(path)] == [scope]


def test_a_key_from_before_sources_and_proofs_is_read(tmp_path: Path) -> None:
    """It may use sources that nobody names, state no proof and judge no report."""
    path = tmp_path / "keys.json"
    path.write_text(FILE_OF_VERSION_0_1 % bearer_keys.digest_secret(SECRET))
    (key,) = api_keys.read_keys(path)
    assert key.scope == a_scope(agencies=frozenset({"so-tc"}))
    assert (key.events_per_second, key.expires_at) == (None, None)


def test_a_wrong_secret_and_an_unknown_key_are_answered_alike(door: Door) -> None:
    """The answer does not tell which ids exist; the metric does."""
    assert door.refuse(bearer("k-1", "x" * 43)) == door.refuse(bearer("k-9"))
    assert door.counted == {AuthenticationFailure.WRONG_SECRET: 1, AuthenticationFailure.UNKNOWN_KEY: 1}


def test_a_wrong_secret_and_an_unknown_key_take_the_same_time(door: Door) -> None:
    """Both compute and compare one digest. Medians are compared, with room for a busy machine."""

    def measure(authorization: str) -> float:
        started = time.perf_counter()
        door.refuse(authorization)
        return time.perf_counter() - started

    known, unknown = bearer("k-1", "x" * 43), bearer("k-9", "x" * 43)
    pairs = [(measure(known), measure(unknown)) for _ in range(1_000)]
    one, other = (median(times) for times in zip(*pairs, strict=True))
    assert 0.5 < one / other < 2


def test_every_reason_of_a_failure_is_counted(door: Door) -> None:
    """No key at all, and a key that is not in force, besides those above."""
    door.refuse(None)
    door.refuse("Basic eDp5")
    door.refuse(bearer("k-old"))
    assert door.counted == {AuthenticationFailure.NO_KEY: 2, AuthenticationFailure.NOT_IN_FORCE: 1}
    assert door.keys.authenticate(bearer("k-1"), ADDRESS).id == "k-1"


def test_a_failure_is_logged_with_its_key_and_without_its_secret(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """An id that nobody has is not logged either: the log would be filled with invented ones."""
    with caplog.at_level(logging.WARNING):
        door.refuse(bearer("k-1", "wrong-secret"))
        door.refuse(bearer("k-9", "wrong-secret"), "10.0.0.2")
    told = [(record.__dict__["origin"], record.__dict__["key"]) for record in caplog.records]
    assert told == [(ADDRESS, "k-1"), ("10.0.0.2", None)]
    assert "wrong-secret" not in caplog.text
    assert "k-9" not in caplog.text
