"""Who may post what: the scope of a key, and its span of validity."""

from dataclasses import dataclass
from datetime import datetime

from schemas.events import facts

WILDCARD = "*"
DECISION_TYPES = frozenset({facts.EXTENDED, facts.EXEMPTED, facts.REVOKED, facts.REASSIGNED})
"""Types that move a deadline. They need a scope of their own: no wildcard gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyScope:
    """What one key covers. `agencies` and `types` may hold `*`, `groups` not; decisions need `may_decide` besides."""

    agencies: frozenset[str]
    groups: frozenset[str]
    types: frozenset[str]
    may_decide: bool

    def covers_type(self, event_type: str) -> bool:
        if event_type in DECISION_TYPES and not self.may_decide:
            return False
        return WILDCARD in self.types or event_type in self.types

    def covers_agency(self, agency: str, groups: frozenset[str]) -> bool:
        """Whether the key may speak for *agency*, a member of *groups*."""
        return WILDCARD in self.agencies or agency in self.agencies or not self.groups.isdisjoint(groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key of one upstream system. The secret itself is nowhere: only its digest is kept."""

    id: str
    system: str
    sha256: str
    scope: KeyScope
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    events_per_second: float | None = None

    def is_valid_at(self, instant: datetime) -> bool:
        """Whether the key is valid at *instant*: neither expired nor revoked. Both ends are exclusive instants."""
        if self.expires_at is not None and instant >= self.expires_at:
            return False
        return self.revoked_at is None or instant < self.revoked_at
