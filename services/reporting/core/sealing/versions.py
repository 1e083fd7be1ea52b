"""Decide which version a request to seal makes: the next one, none because it has made it before, or none at all."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.events.reports import ReportSealed

FIRST_VERSION = 1


class SealOutcome(StrEnum):
    """What became of a request to seal."""

    SEALED = "sealed"
    REPEATED = "repeated"  # this very request had sealed its version before
    REFUSED = "refused"  # the version that it expects is not the next one
    UNSETTLED = "unsettled"  # records were on their way, or another process sealed: asking again may help
    FAILED = "failed"


class VersionConflictError(Exception):
    """The version that a request expects is not the next one: look at what was sealed meanwhile, then ask again.

    `latest` is the number of the newest version, 0 where there is none.
    """

    def __init__(self, expected: int, latest: int) -> None:
        super().__init__(f"version {expected} cannot be sealed: the next one is {latest + 1}")
        self.expected = expected
        self.latest = latest


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """A request to seal the report of a plan and period.

    `version` is the number that the one who asks expects the new version to get. A request that is sent again after its
    answer was lost then makes no second version. Without a number the next version is sealed, whatever it is.
    """

    plan: str
    period: str
    signer: str
    version: int | None = None


def choose_version(request: SealRequest, latest: ReportSealed | None) -> int | None:
    """Return the number of the version to seal; None if *latest* is what this request has sealed before.

    Raise `VersionConflictError` if the request expects another number than the next.
    """
    newest = FIRST_VERSION - 1 if latest is None else latest.version
    if request.version is None or request.version == newest + 1:
        return newest + 1
    if latest is not None and (request.version, request.signer) == (latest.version, latest.signer):
        return None
    raise VersionConflictError(request.version, newest)
