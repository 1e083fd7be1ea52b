"""What a key may claim: sources, proofs of dispatch, decisions and reviews; and when a system is without a key."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.events.ids import SHEET_SOURCE
from services.intake.core import scopes
from services.intake.core.scopes import ApiKey
from tests.support.builders.keys import a_key, a_scope

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RETURNED = "vn.dondoc.report.returned.v1"
EXTENDED = "vn.dondoc.extension.granted.v1"
SUBMITTED = "vn.dondoc.report.submitted.v1"


def may_post(key: ApiKey, source: str, *others: ApiKey) -> bool:
    """Whether *key*, in one file with *others*, may post events of *source*."""
    found, *_ = scopes.separate_sources([key, *others])
    return found.scope.sources.covers(source)


def test_a_key_posts_from_the_sources_that_it_names_and_from_no_other() -> None:
    """A source is named whole, or by a prefix with `*` at its end."""
    key = a_key("a", "urn:a", "urn:gateway:*")
    assert [may_post(key, one) for one in ("urn:a", "urn:gateway:so-tc", "urn:gateway:")] == [True, True, True]
    assert [may_post(key, one) for one in ("urn:a:1", "urn:b", "urn:gateway", "URN:a")] == [False] * 4


def test_a_key_without_a_source_may_not_use_what_another_key_names() -> None:
    """So nobody can take the ids of a system whose key names its source, whole or by a prefix."""
    opened = a_key("open")
    assert may_post(opened, "urn:b")
    assert not may_post(opened, "urn:b", a_key("b", "urn:b"))
    assert not may_post(opened, "urn:b:7", a_key("b", "urn:b:*"))
    assert may_post(opened, "urn:c", a_key("b", "urn:b:*"))


def test_two_keys_that_name_a_source_share_it() -> None:
    """Two systems may post from one source where the operator has said so of both."""
    one, other = a_key("a", "urn:shared"), a_key("b", "urn:shared")
    assert may_post(one, "urn:shared", other)
    assert may_post(other, "urn:shared", one)


def test_an_expired_key_keeps_its_sources_and_a_revoked_one_gives_them_up() -> None:
    """Nobody takes the source of a system whose key was not renewed in time."""
    opened = a_key("open")
    assert not may_post(opened, "urn:b", a_key("b", "urn:b", expires_at=NOW - timedelta(days=365)))
    assert may_post(opened, "urn:b", a_key("b", "urn:b", revoked_at=NOW))


@pytest.mark.parametrize("source", ["urn:dondoc:form", "urn:dondoc:rules", "URN:DonDoc:form", "urn:dondoc:"])
@pytest.mark.parametrize("name", ["*", "urn:*", "urn:dondoc:*", "URN:*"])
def test_neither_the_wildcard_nor_a_prefix_covers_the_sources_of_the_product(name: str, source: str) -> None:
    """A source of the product is covered only by a scope that names it whole, such as the form's."""
    assert not may_post(a_key("a", name), source)
    assert a_scope("urn:dondoc:form").sources.covers("urn:dondoc:form")


def test_every_key_may_send_sheets() -> None:
    """The ids of sheets derive from their content, so their source needs no owner."""
    assert may_post(a_key("a", "urn:a"), SHEET_SOURCE)


def test_a_proof_of_dispatch_is_permitted_by_name() -> None:
    """Every key may state that there is no proof."""
    gateway = a_scope(proofs=frozenset({"exchange-log"}))
    assert [gateway.covers_proof(one) for one in ("none", "exchange-log", "postmark")] == [True, True, False]
    assert not a_scope().covers_proof("exchange-log")


def test_the_wildcard_of_types_covers_neither_decisions_nor_reviews() -> None:
    """What moves a due date needs `may_decide`, what judges a report needs `may_review`."""
    types = (SUBMITTED, EXTENDED, RETURNED)
    assert [a_scope().covers_type(one) for one in types] == [True, False, False]
    assert [a_scope(may_decide=True).covers_type(one) for one in types] == [True, True, False]
    assert [a_scope(may_review=True).covers_type(one) for one in types] == [True, False, True]


def test_a_system_loses_access_with_the_last_of_its_keys() -> None:
    """A key that is being rotated out ends nothing, nor does one that has ended already."""
    soon, later = NOW + timedelta(days=5), NOW + timedelta(days=300)
    keys = [
        a_key("rotated", system="a", expires_at=soon),
        a_key("next", system="a", expires_at=later),
        a_key("only", system="b", expires_at=soon),
        a_key("expired", system="c", expires_at=NOW),
        a_key("revoked", system="d", revoked_at=NOW),
        a_key("forever", system="e"),
    ]
    assert scopes.find_access_ends(keys, NOW) == {"a": later, "b": soon}
    assert scopes.find_access_ends(list(reversed(keys)), NOW) == {"a": later, "b": soon}


def test_the_systems_that_can_take_each_others_ids_are_known() -> None:
    """Those with a valid key that names no source."""
    keys = [a_key("a"), a_key("b", "urn:b"), a_key("c"), a_key("d", expires_at=NOW)]
    assert scopes.find_open_systems(keys, NOW) == {"a", "c"}
