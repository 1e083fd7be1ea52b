"""A reader: somebody who may read, and the scope of what (contract section 9).

A scope is a union. It names agencies by their permanent ids, and groups; an agency of a group is covered as a member of
it on the day by which a duty is decided, like the duty itself (ruling 8).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

ALL = "all"
SEALED = "sealed"
GROUP_PREFIX = "group:"
AGENCY_PREFIX = "agency:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderScope:
    """What a reader may see. The empty scope covers nothing."""

    is_everything: bool = False
    has_sealed: bool = False
    groups: frozenset[str] = frozenset()
    agencies: frozenset[str] = frozenset()

    @property
    def covers_duties(self) -> bool:
        """Whether it covers anything besides sealed reports."""
        return self.is_everything or bool(self.groups or self.agencies)

    @property
    def covers_sealed(self) -> bool:
        """Whether it covers sealed reports, which name every agency."""
        return self.is_everything or self.has_sealed

    @property
    def own_agency(self) -> str | None:
        """The only agency that it covers, if it is the scope of a single one; that sees its rank and the totals."""
        if self.is_everything or self.groups or len(self.agencies) != 1:
            return None
        return next(iter(self.agencies))

    def covers_agency(self, agency: str, groups: Collection[str]) -> bool:
        """Whether it covers *agency*, a member of *groups* on the day that decides."""
        return self.is_everything or agency in self.agencies or not self.groups.isdisjoint(groups)

    def covers_group(self, group: str) -> bool:
        """Whether it covers the whole of *group*."""
        return self.is_everything or group in self.groups


EVERYTHING = ReaderScope(is_everything=True)
NOTHING = ReaderScope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who reads: by a key of their own, or by the link in a mail to an agency.

    `may_review` lets them return, accept and grade reports, `may_seal` seal them.
    """

    id: str
    name: str
    scope: ReaderScope
    may_review: bool = False
    may_seal: bool = False


# Whoever has shown no key. They see what is open to everybody.
PUBLIC = Reader(id="public", name="", scope=NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderKey:
    """The key of a reader as it is stored: the digest of its secret, and from when until when it is good."""

    reader: Reader
    sha256: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid_at(self, now: datetime) -> bool:
        """Whether the key is good at *now*: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def parse_scope(texts: Iterable[str]) -> ReaderScope:
    """Return the union of the scopes `all`, `sealed`, `group:ID` and `agency:ID`; raise `ValueError` for another."""
    is_everything, has_sealed = False, False
    groups: set[str] = set()
    agencies: set[str] = set()
    for text in texts:
        if text == ALL:
            is_everything = True
        elif text == SEALED:
            has_sealed = True
        elif text.startswith(GROUP_PREFIX) and text != GROUP_PREFIX:
            groups.add(text.removeprefix(GROUP_PREFIX))
        elif text.startswith(AGENCY_PREFIX) and text != AGENCY_PREFIX:
            agencies.add(text.removeprefix(AGENCY_PREFIX))
        else:
            raise ValueError(f"{text!r} is no scope; write all, group:ID, agency:ID or sealed")
    return ReaderScope(
        is_everything=is_everything, has_sealed=has_sealed, groups=frozenset(groups), agencies=frozenset(agencies)
    )


def format_scope(scope: ReaderScope) -> tuple[str, ...]:
    """Return *scope* as the texts that `parse_scope` reads."""
    return (
        *((ALL,) if scope.is_everything else ()),
        *(GROUP_PREFIX + group for group in sorted(scope.groups)),
        *(AGENCY_PREFIX + agency for agency in sorted(scope.agencies)),
        *((SEALED,) if scope.has_sealed else ()),
    )


def agency_reader(agency: str) -> Reader:
    """Return the reader of a link in a mail to *agency*."""
    scope = ReaderScope(agencies=frozenset({agency}))
    return Reader(id=f"{AGENCY_PREFIX}{agency}", name="", scope=scope)
