"""API keys: which agencies and event types a key covers, and when it is valid."""

from dataclasses import dataclass
from datetime import datetime

from schemas.events import facts

WILDCARD = "*"

# Event types that move a due date. A key needs `may_decide` for them; the wildcard does not include them.
DECISION_TYPES = frozenset({facts.EXTENDED, facts.EXEMPTED, facts.REVOKED, facts.REASSIGNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyScope:
    """What one key covers. `agencies` and `types` may hold `*`, `groups` may not; decisions also need `may_decide`."""

    agencies: frozenset[str]
    groups: frozenset[str]
    types: frozenset[str]
    may_decide: bool

    def covers_type(self, event_type: str) -> bool:
        if event_type in DECISION_TYPES and not self.may_decide:
            return False
        return WILDCARD in self.types or event_type in self.types

    def covers_agency(self, agency: str, groups: frozenset[str]) -> bool:
        """Whether the key may post for *agency*, a member of *groups*."""
        return WILDCARD in self.agencies or agency in self.agencies or not self.groups.isdisjoint(groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an upstream system. Only the digest of its secret is stored, never the secret itself."""

    id: str
    system: str
    sha256: str
    scope: KeyScope
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    events_per_second: float | None = None

    def is_valid_at(self, instant: datetime) -> bool:
        """Whether the key is valid at *instant*: not expired and not revoked. At `expires_at` itself it has expired."""
        if self.expires_at is not None and instant >= self.expires_at:
            return False
        return self.revoked_at is None or instant < self.revoked_at
