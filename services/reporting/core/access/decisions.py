"""Decide whether a request is answered: what its route asks for, and what its reader may.

A route says what it asks for (`Access`). One that says nothing is for nobody.
"""

from enum import Enum, StrEnum, auto

from services.reporting.core.access.readers import PUBLIC, Reader


class Access(Enum):
    """What a route asks for."""

    OPEN = auto()
    """Nothing: it shows no name and no figure."""

    THIS_MACHINE = auto()
    """That a process of this machine asks; the port of a service shows such a route on a development machine alone."""

    COUNTS = auto()
    """As `COVERED`; where figures are public, everybody, and who has no scope gets the counts by status alone."""

    COVERED = auto()
    """A reader of duties. The handler answers what the scope covers, and refuses what is named outside it."""

    WHOLE = auto()
    """A reader of everything, because the answer names every agency."""

    SEALED = auto()
    """A reader of everything or of sealed reports."""

    REVIEWS = auto()
    """A reader of duties who may return, accept and grade. The handler refuses an agency outside the scope."""

    SEALS = auto()
    """A reader of everything who may seal."""

    NOBODY = auto()
    """Nobody may: the route has not said what it asks for."""


class RefusalReason(StrEnum):
    """Why a request is refused: a label of the metric, and a member of the audit line."""

    NO_KEY = "no_key"
    UNKNOWN_KEY = "unknown_key"
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - a reason, not a secret
    NOT_IN_FORCE = "not_in_force"
    SESSION_ENDED = "session_ended"
    BAD_LINK = "bad_link"
    LINK_EXPIRED = "link_expired"
    LINK_REVOKED = "link_revoked"
    OUTSIDE_SCOPE = "outside_scope"
    NOT_PERMITTED = "not_permitted"
    FORGED_FORM = "forged_form"
    OTHER_MACHINE = "other_machine"

    @property
    def is_unauthenticated(self) -> bool:
        """Whether it is not known who asks, so that a key or a link would help."""
        return self in _UNAUTHENTICATED


_UNAUTHENTICATED = frozenset(
    {
        RefusalReason.NO_KEY,
        RefusalReason.UNKNOWN_KEY,
        RefusalReason.WRONG_SECRET,
        RefusalReason.NOT_IN_FORCE,
        RefusalReason.SESSION_ENDED,
        RefusalReason.BAD_LINK,
        RefusalReason.LINK_EXPIRED,
        RefusalReason.LINK_REVOKED,
    }
)


class AccessRefusedError(Exception):
    """A request is refused: send a key that is in force, or ask for what its scope covers.

    `reader` is the id of the reader, if it is known whose key or link was sent.
    """

    def __init__(self, reason: RefusalReason, *, reader: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.reader = reader


def find_refusal(access: Access, reader: Reader, *, are_figures_public: bool) -> RefusalReason | None:
    """Return why *reader* may not use a route that asks for *access*, or None where they may.

    Whoever has shown no key is `PUBLIC`. What of the answer the scope covers is decided by the handler.
    """
    scope = reader.scope
    if access is Access.OPEN or (access is Access.COUNTS and are_figures_public):
        return None
    if reader == PUBLIC:
        return RefusalReason.NO_KEY
    if access in {Access.REVIEWS, Access.SEALS} and not _has_permission(access, reader):
        return RefusalReason.NOT_PERMITTED
    is_covered = {
        Access.COUNTS: scope.covers_duties,
        Access.COVERED: scope.covers_duties,
        Access.REVIEWS: scope.covers_duties,
        Access.WHOLE: scope.is_everything,
        Access.SEALS: scope.is_everything,
        Access.SEALED: scope.covers_sealed,
    }
    return None if is_covered.get(access, False) else RefusalReason.OUTSIDE_SCOPE


def _has_permission(access: Access, reader: Reader) -> bool:
    return reader.may_review if access is Access.REVIEWS else reader.may_seal
