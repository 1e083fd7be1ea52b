"""Revocations of the links in mails: the file that holds them, reloaded when it changes.

A link is a signed token that nobody stores, so a single one cannot be struck from a list. What can be said is from when
on links are good: of one agency, or of all. `dondoc links revoke` writes the file. Intake reads it for links to the
form, reporting for links to the dashboard.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.plan.values import Instant
from services.runtime import secret_files
from services.runtime.secret_files import FileWatcher

log = logging.getLogger(__name__)


class RevocationFileError(Exception):
    """The file of revocations cannot be read; restore it, or revoke anew with `dondoc links revoke`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRevocation:
    """Links that were issued before an instant are revoked: those of one agency, or all where `agency` is None."""

    agency: str | None
    before: datetime
    reason: str

    def covers(self, agency: str, issued_at: datetime) -> bool:
        """Whether it revokes the links of *agency* that were issued at *issued_at*."""
        return self.agency in (None, agency) and issued_at < self.before


class _RevocationEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agency: str | None
    before: Instant
    reason: str


class _RevocationFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    revocations: tuple[_RevocationEntry, ...] = ()


def read_revocations(path: Path) -> tuple[LinkRevocation, ...]:
    """Return the revocations in *path*, none if it does not exist; raise `RevocationFileError`."""
    try:
        entries = _RevocationFile.model_validate_json(path.read_bytes()).revocations
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as cause:
        raise RevocationFileError(f"{path}: {cause}") from cause
    return tuple(LinkRevocation(agency=one.agency, before=one.before, reason=one.reason) for one in entries)


def write_revocations(path: Path, revocations: Iterable[LinkRevocation]) -> None:
    """Replace the content of *path*, durably. Hold `secret_files.lock_file` from reading to writing."""
    entries = [_RevocationEntry(agency=one.agency, before=one.before, reason=one.reason) for one in revocations]
    document = _RevocationFile(revocations=tuple(entries))
    secret_files.replace_file(path, document.model_dump_json(indent=2).encode() + b"\n")


class LinkRevocations:
    """The revocations in force."""

    def __init__(self, path: Path) -> None:
        self._watcher = FileWatcher(path)
        self._revocations: tuple[LinkRevocation, ...] = ()

    def load(self) -> None:
        """Read the file; raise `RevocationFileError` if it cannot be read."""
        self._revocations = read_revocations(self._watcher.path)
        log.info(
            "the revocations of links are loaded",
            extra={"action": "link_revocations_loaded", "revocations": len(self._revocations)},
        )

    async def watch(self) -> None:
        """Reload the file whenever it changes, until cancelled."""
        await secret_files.reload_on_change(self._watcher, self.load, RevocationFileError)

    def cover(self, agency: str, issued_at: datetime) -> bool:
        """Whether a link of *agency* that was issued at *issued_at* is revoked."""
        return any(one.covers(agency, issued_at) for one in self._revocations)
