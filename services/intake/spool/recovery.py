"""What a damaged spool holds, and what can be saved of it, while intake is stopped (`dondoc spool`).

A damaged segment is written anew, in its place in the order, with the records in it that are whole. The whole records
of damaged files that were set aside earlier go behind the rest. Intake then replays the spool as always and leaves out
what the log has already. A copy of every damaged file stays, byte for byte.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from prometheus_client import CollectorRegistry

from services.intake.metrics import SpoolMetrics
from services.intake.spool import manifest, segment_scan, spool_folder
from services.intake.spool.damage import SpoolDamage
from services.intake.spool.manifest import ManifestDamagedError
from services.intake.spool.record_format import SpooledRecord
from services.intake.spool.segment_files import SegmentFiles
from services.intake.spool.segment_scan import DamagedRange, SegmentScan
from services.intake.spool.segment_writer import SegmentWriter
from services.intake.spool.spool_folder import (
    DAMAGED,
    MANIFEST_FILE,
    MISSING,
    RECOVERED,
    SEGMENT,
    TORN,
    SpoolUnusableError,
)

# The ids that can still be read in damaged bytes: they tell an operator whom to ask to send again. Intake bounds an id.
_EVENT_ID = re.compile(rb'"id":"([^"\\\x00-\x1f]{1,200})"')


class FileState(StrEnum):
    """What a file of the spool is."""

    INTACT = "intact"
    TORN = "torn"
    """A crash cut its end off, which was never acknowledged."""
    DAMAGED = "damaged"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedPlace:
    """Damaged bytes of a file, with the ids of events that can be read in them."""

    bytes: DamagedRange
    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedFile:
    """One file of the spool, and what is whole in it."""

    name: str
    state: FileState
    scan: SegmentScan
    places: tuple[DamagedPlace, ...] = ()

    @property
    def events_lost(self) -> int | None:
        """How many events cannot be read; None if that cannot be known."""
        if self.state in {FileState.INTACT, FileState.TORN}:
            return 0
        counts = [place.bytes.records for place in self.places]
        known = [count for count in counts if count is not None]
        return sum(known) if known and len(known) == len(counts) else None


def inspect_spool(folder: Path) -> Sequence[InspectedFile]:
    """Return every file of the spool that is not recovered yet; raise `SpoolUnusableError`. Nothing is changed."""
    with _lock_existing(folder):
        return list(_inspect_files(folder))


def recover_spool(folder: Path) -> Sequence[InspectedFile]:
    """Save what is whole in damaged files, set these aside as recovered, and return them; raise `SpoolUnusableError`.

    Killed at any moment, it can be run again: an event that is in the spool twice reaches the log once.
    """
    files = SegmentFiles(folder, SpoolDamage(SpoolMetrics(CollectorRegistry())))
    if not folder.is_dir():
        raise SpoolUnusableError(f"there is no folder {folder}")
    files.open()  # marks the segments that are missing
    try:
        found = [one for one in _inspect_files(folder) if _is_to_recover(one)]
        for one in found:
            _recover_file(folder / one.name, one, files)
    except OSError as cause:
        raise SpoolUnusableError(f"the spool {folder} cannot be written: {cause.strerror}") from cause
    finally:
        files.close()
    return found


def _recover_file(path: Path, file: InspectedFile, files: SegmentFiles) -> None:
    if path.suffix == SEGMENT and file.state is FileState.DAMAGED:
        spool_folder.copy_file(path, RECOVERED)
        _rewrite_segment(path, file.scan.records)
        return
    if file.state is FileState.DAMAGED and file.scan.records:
        files.append(file.scan.records)
        files.seal()
    # Only now: killed before this line, the file is still there to be recovered.
    spool_folder.keep_file(path, RECOVERED)


def _rewrite_segment(path: Path, records: Sequence[SpooledRecord]) -> None:
    """Replace the segment *path* by one with *records* alone; a crash leaves either the old one or the new one."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    writer = SegmentWriter(fresh, int(path.stem))
    writer.seal(writer.append(records))
    writer.close()
    fresh.replace(path)
    spool_folder.sync_folder(path.parent)


def _is_to_recover(file: InspectedFile) -> bool:
    return file.state in {FileState.DAMAGED, FileState.MISSING} or not file.name.endswith(SEGMENT)


@contextmanager
def _lock_existing(folder: Path) -> Iterator[None]:
    try:
        with spool_folder.hold_lock(folder):
            yield
    except OSError as cause:
        raise SpoolUnusableError(f"the spool {folder} cannot be read: {cause.strerror}") from cause


def _inspect_files(folder: Path) -> Iterator[InspectedFile]:
    segments = spool_folder.list_segments(folder)
    try:
        listed = manifest.read_manifest(folder / MANIFEST_FILE)
    except ManifestDamagedError:
        listed = None
        yield _without_records(MANIFEST_FILE, FileState.DAMAGED)
    known = spool_folder.list_numbers(folder)
    for number in () if listed is None else listed.find_missing(known):
        yield _without_records(spool_folder.segment_path(folder, number).name, FileState.MISSING)
    for path in spool_folder.list_kept(folder, DAMAGED, MISSING, TORN):
        if path.suffix == MISSING or spool_folder.find_number(path) is None:
            state = FileState.MISSING if path.suffix == MISSING else FileState.DAMAGED
            yield _without_records(path.name, state)
        else:
            yield _inspect_file(path, is_listed=True)
    for path in segments:
        is_listed = bool(path.stat().st_size) if listed is None else spool_folder.number_of(path) < listed.following
        yield _inspect_file(path, is_listed=is_listed)


def _without_records(name: str, state: FileState) -> InspectedFile:
    return InspectedFile(name=name, state=state, scan=SegmentScan(records=()))


def _inspect_file(path: Path, *, is_listed: bool) -> InspectedFile:
    content = spool_folder.read_file(path)
    scan_file = segment_scan.scan_segment if is_listed else segment_scan.scan_unlisted
    scan = scan_file(content, int(path.name[: spool_folder.DIGITS]))
    places = tuple(DamagedPlace(bytes=one, event_ids=_find_ids(content[one.start : one.end])) for one in scan.damaged)
    state = FileState.TORN if scan.torn_bytes else FileState.INTACT
    return InspectedFile(name=path.name, state=FileState.DAMAGED if places else state, scan=scan, places=places)


def _find_ids(content: bytes) -> tuple[str, ...]:
    return tuple(found[1].decode(errors="backslashreplace") for found in _EVENT_ID.finditer(content))
