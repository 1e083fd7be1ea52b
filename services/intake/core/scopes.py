"""API keys: what each may claim (agencies, event types, sources, proofs of dispatch), and when it is valid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import get_args

from schemas.events import facts, ids

WILDCARD = "*"

# Event types that move a due date. A key needs `may_decide` for them; the wildcard does not include them.
DECISION_TYPES = frozenset({facts.EXTENDED, facts.EXEMPTED, facts.REVOKED, facts.REASSIGNED})

# Event types by which a recipient judges a report. A key needs `may_review` for them, like decisions.
REVIEW_TYPES = frozenset({facts.RETURNED, facts.ACCEPTED})

# The types that a key may be made for.
KNOWN_TYPES = frozenset(facts.MODEL_OF)

# The proof that states none, which every key may write.
NO_PROOF = "none"

# Proofs of dispatch by which a report can count before its receipt (ruling 2). A key needs each by name (ruling 12).
PROOFS = frozenset(get_args(facts.Proof)) - {NO_PROOF}

# Sources of the product itself. Only a scope that names one whole covers it: neither a prefix nor the wildcard does.
RESERVED_PREFIX = "urn:dondoc:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceScope:
    """The sources that a key may post from.

    `names` holds whole sources, prefixes such as `urn:qlvb:*`, or `*`. The wildcard stands for every source that no
    other key names: `named_by_others` holds what those name.
    """

    names: frozenset[str]
    named_by_others: frozenset[str] = frozenset()

    def covers(self, source: str) -> bool:
        """Whether events of *source* may come with the key."""
        if source in self.names or source == ids.SHEET_SOURCE:
            return True
        if is_reserved(source):
            return False
        if _is_named(source, self.names - {WILDCARD}):
            return True
        return WILDCARD in self.names and not _is_named(source, self.named_by_others)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyScope:
    """What one key covers.

    `agencies` and `types` may hold `*`, `groups` may not. Decisions also need `may_decide`, reviews `may_review`.
    """

    agencies: frozenset[str]
    groups: frozenset[str]
    types: frozenset[str]
    sources: SourceScope
    proofs: frozenset[str] = frozenset()
    may_decide: bool = False
    may_review: bool = False

    def covers_type(self, event_type: str) -> bool:
        if event_type in DECISION_TYPES and not self.may_decide:
            return False
        if event_type in REVIEW_TYPES and not self.may_review:
            return False
        return WILDCARD in self.types or event_type in self.types

    def covers_agency(self, agency: str, groups: frozenset[str]) -> bool:
        """Whether the key may post for *agency*, a member of *groups*."""
        return WILDCARD in self.agencies or agency in self.agencies or not self.groups.isdisjoint(groups)

    def covers_proof(self, proof: str) -> bool:
        """Whether the key may state *proof* of a dispatch (ruling 12)."""
        return proof == NO_PROOF or proof in self.proofs


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an upstream system. Only the digest of its secret is stored, never the secret itself.

    A key that was made before keys had a default expiry and rate may be without one.
    """

    id: str
    system: str
    sha256: str
    scope: KeyScope
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    events_per_second: float | None = None

    @property
    def has_open_sources(self) -> bool:
        """Whether the key may use every source that no other key names, as all others of its kind may."""
        return WILDCARD in self.scope.sources.names

    def is_valid_at(self, instant: datetime) -> bool:
        """Whether the key is valid at *instant*: not expired and not revoked. At `expires_at` itself it has expired."""
        if self.expires_at is not None and instant >= self.expires_at:
            return False
        return self.revoked_at is None or instant < self.revoked_at


def is_reserved(source: str) -> bool:
    """Whether *source* is one of the product's own. The case of `urn:dondoc` means nothing (RFC 8141 section 3.1)."""
    return source[: len(RESERVED_PREFIX)].lower() == RESERVED_PREFIX


def separate_sources(keys: Iterable[ApiKey]) -> tuple[ApiKey, ...]:
    """Return *keys*, each with the sources that the others name.

    An expired key keeps its sources, so that nobody takes them before it is renewed. A revoked one gives them up.
    """
    listed = tuple(keys)
    named = {key.id: key.scope.sources.names - {WILDCARD} for key in listed if key.revoked_at is None}
    return tuple(_separate_from(key, named) if key.has_open_sources else key for key in listed)


def _separate_from(key: ApiKey, named: Mapping[str, frozenset[str]]) -> ApiKey:
    others = frozenset().union(*(names for key_id, names in named.items() if key_id != key.id))
    return replace(key, scope=replace(key.scope, sources=replace(key.scope.sources, named_by_others=others)))


def find_access_ends(keys: Iterable[ApiKey], now: datetime) -> Mapping[str, datetime]:
    """Return when each upstream system that has a valid key will be without one; a system that never will is left out.

    A system loses access when the last of its keys expires: a key that is being rotated out ends nothing.
    """
    ends: dict[str, datetime | None] = {}
    for key in keys:
        if key.is_valid_at(now):
            other = ends.get(key.system, now)
            ends[key.system] = None if other is None or key.expires_at is None else max(other, key.expires_at)
    return {system: end for system, end in ends.items() if end is not None}


def find_open_systems(keys: Iterable[ApiKey], now: datetime) -> frozenset[str]:
    """Return the systems with a valid key that names no sources. Two of them can take each other's event ids."""
    return frozenset(key.system for key in keys if key.has_open_sources and key.is_valid_at(now))


def _is_named(source: str, names: Iterable[str]) -> bool:
    """Whether one of *names* is *source*, or a prefix of it that ends with `*`."""
    return any(source == name or (name.endswith(WILDCARD) and source.startswith(name[:-1])) for name in names)
