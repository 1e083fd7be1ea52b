"""The segments of a spool: numbered files in one folder, appended with fsync, removed after their replay.

Every method here blocks and is called from one thread at a time. What was appended survives a power cut. A segment of
an earlier process is never written again: if it is damaged, it is read as far as it can be and kept under another name.
"""

import logging
import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from services.intake.spool import record_format, segment_scan, spool_folder
from services.intake.spool.damage import SpoolDamage
from services.intake.spool.manifest import ManifestDamagedError, SegmentRange, SpoolManifest
from services.intake.spool.record_format import HEADER_BYTES, SegmentHeader, SpooledRecord
from services.intake.spool.segment_writer import SegmentWriter
from services.intake.spool.spool_folder import DAMAGED, MANIFEST_FILE, MISSING, TORN, SpoolUnusableError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSegment:
    """A sealed file and the records in it, oldest first."""

    path: Path
    records: tuple[SpooledRecord, ...]
    size: int
    """Bytes that its records took when they were appended, or when they were found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _SealedFile:
    path: Path
    header: SegmentHeader | None = None
    """What this process sealed in it; None for a segment of an earlier process, whose own header says it."""
    size: int = 0


class SegmentFiles:
    """The folder of segments, one of which is being written."""

    def __init__(self, folder: Path, damage: SpoolDamage) -> None:
        self._folder = folder
        self._damage = damage
        self._lock: int | None = None
        self._manifest: SpoolManifest | None = None
        self._has_manifest = False
        self._listed = SegmentRange(first=1, following=1)
        self._unlisted: set[Path] = set()
        self._unread: deque[Path] = deque()
        self._sealed: deque[_SealedFile] = deque()
        self._keep_as: dict[Path, str] = {}
        self._writer: SegmentWriter | None = None

    def open(self) -> None:
        """Lock the folder and find the segments of an earlier process; raise `SpoolUnusableError`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = spool_folder.lock_folder(self._folder)
            self._unread.extend(spool_folder.list_segments(self._folder))
            for path in spool_folder.list_kept(self._folder, DAMAGED, MISSING):
                self._damage.add_file(path.stem)
            self._open_manifest()
        except OSError as cause:
            raise SpoolUnusableError(f"the spool {self._folder} cannot be used: {cause.strerror}") from cause

    def read_leftover(self) -> SpoolSegment | None:
        """Return the next segment of an earlier process, oldest first, or None after the last."""
        while self._unread:
            path = self._unread.popleft()
            try:
                found = self._read(_SealedFile(path=path))
            except OSError as cause:
                raise SpoolUnusableError(f"the segment {path} cannot be read: {cause.strerror}") from cause
            segment = replace(found, size=record_format.size_of(found.records))
            self._sealed.append(_SealedFile(path=path, size=segment.size))
            if segment.records:
                return segment
            self.remove(segment)
        return None

    def close(self) -> None:
        """Close the files and unlock the folder; the segments stay."""
        self.seal()
        if self._manifest is not None:
            self._manifest.close()
        if self._lock is not None:
            os.close(self._lock)
        self._manifest = self._lock = None

    def append(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Append *records* and return when they are on disk; raise `OSError`, and then the spool is without them."""
        writer = self._writer = self._writer or self._begin_segment()
        try:
            header = writer.append(records)
            if header.number >= self._listed.following:
                self._list_segments(SegmentRange(first=self._listed.first, following=header.number + 1))
                spool_folder.sync_folder(self._folder)
            writer.seal(header)
        except OSError:
            # Left in the file, a part of the records could be replayed although their sender was told to come again.
            # And no more is written to a file after a failed fsync: what the disk has of it is not known.
            writer.discard_tail()
            self.seal()
            raise

    @property
    def length(self) -> int:
        """Bytes in the segment that is being written."""
        return 0 if self._writer is None else self._writer.header.sealed_bytes

    def seal(self) -> None:
        """End the segment that is being written; the next append begins another."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        writer.close()
        size = writer.header.sealed_bytes - HEADER_BYTES
        if size:
            self._sealed.append(_SealedFile(path=writer.path, header=writer.header, size=size))
        elif writer.header.number < self._listed.following:
            self.remove(SpoolSegment(path=writer.path, records=(), size=0))
        else:
            with suppress(OSError):  # its first append failed, so nothing knows of it
                writer.path.unlink()

    def oldest(self) -> SpoolSegment | None:
        """Return the oldest sealed segment, or None."""
        return self._read(self._sealed[0]) if self._sealed else None

    def keep_damaged(self, segment: SpoolSegment, *, events: int) -> None:
        """Report *events* of *segment* that cannot go to the log, and have the file kept when it is removed."""
        sentence = "a segment of the spool holds records that are no events with a receipt"
        self._damage.report_file(segment.path.stem, sentence, events=events)
        self._keep_as[segment.path] = DAMAGED

    def remove(self, segment: SpoolSegment) -> None:
        """Take a replayed segment out of the spool: delete it, or keep it under another name if it was damaged.

        A disk that refuses is logged and no error: the next process finds the records in the log and skips them.
        """
        path = segment.path
        self._sealed = deque(one for one in self._sealed if one.path != path)
        suffix = self._keep_as.pop(path, None)
        try:
            # First, so that a crash in between leaves a segment too many and not one that seems to be missing.
            self._list_segments(SegmentRange(first=self._find_first(), following=self._listed.following))
            if suffix is None:
                # The folder is not synced: a segment that a power cut brings back is found in the log and skipped.
                path.unlink(missing_ok=True)
            elif path.exists():
                spool_folder.keep_file(path, suffix)
            else:
                spool_folder.mark_missing(path)
        except OSError as cause:
            extra = {"action": "spool_failed", "segment": path.name, "error": repr(cause)}
            log.error("a replayed segment cannot be removed from the spool", extra=extra)  # noqa: TRY400 - the reason is in the line

    def _begin_segment(self) -> SegmentWriter:
        number = self._listed.following
        while (path := spool_folder.segment_path(self._folder, number)).exists():
            number += 1  # a disk that failed did not let the file of a failed append be deleted
        return SegmentWriter(path, number)

    def _open_manifest(self) -> None:
        """Read the manifest, report the segments that it misses, and list those that are there."""
        numbers = [spool_folder.number_of(path) for path in self._unread]
        listed = self._read_manifest()
        self._has_manifest = listed is not None
        if listed is None:
            listed = SegmentRange(first=min(numbers, default=1), following=max(numbers, default=0) + 1)
        self._unlisted = {path for path in self._unread if spool_folder.number_of(path) >= listed.following}
        for number in listed.find_missing(spool_folder.list_numbers(self._folder)):
            path = spool_folder.segment_path(self._folder, number)
            spool_folder.mark_missing(path)
            self._damage.report_file(path.stem, "a segment of the spool is missing", events=None)
        following = max(listed.following, max(numbers, default=0) + 1)
        self._list_segments(SegmentRange(first=min([listed.first, *numbers]), following=following))
        spool_folder.sync_folder(self._folder)

    def _read_manifest(self) -> SegmentRange | None:
        path = self._folder / MANIFEST_FILE
        self._manifest = SpoolManifest(path)
        try:
            return self._manifest.read()
        except ManifestDamagedError:
            self._manifest.close()
            spool_folder.keep_file(path, DAMAGED)
            self._manifest = SpoolManifest(path)
            sentence = "the manifest of the spool is damaged, so that nobody knows whether a segment is missing"
            self._damage.report_file(path.stem, sentence, events=0)
            return None

    def _list_segments(self, listed: SegmentRange) -> None:
        if self._manifest is None:
            raise RuntimeError("the spool is not open")
        self._manifest.write(listed)
        self._listed = listed

    def _find_first(self) -> int:
        """Return the number of the oldest segment that is there."""
        paths = [*(one.path for one in self._sealed), *self._unread]
        return min(map(spool_folder.number_of, paths), default=self._listed.following)

    def _read(self, file: _SealedFile) -> SpoolSegment:
        """Read a segment as far as it can be read, and report what is damaged in it."""
        path, header = file.path, file.header
        try:
            content = spool_folder.read_file(path)
        except FileNotFoundError:
            events = None if header is None else header.sealed_records
            self._damage.report_file(path.stem, "a segment of the spool is missing", events=events)
            self._keep_as[path] = DAMAGED
            return SpoolSegment(path=path, records=(), size=file.size)
        if header is not None:
            content = content[: header.sealed_bytes]  # behind it may be what a failed append left
        elif record_format.decode_header(content) is not None:
            self._require_manifest()
        if path in self._unlisted or (not content and not self._has_manifest):
            scan = segment_scan.scan_unlisted(content, spool_folder.number_of(path))
        else:
            scan = segment_scan.scan_segment(content, spool_folder.number_of(path), sealed=header)
        if scan.damaged:
            self._keep_as[path] = DAMAGED
            for damaged in scan.damaged:
                self._damage.report_range(path.stem, damaged)
        elif scan.torn_bytes:
            self._keep_as[path] = TORN
            extra = {"action": "spool_torn", "segment": path.stem, "bytes": scan.torn_bytes}
            log.warning("a segment of the spool has a torn end, which was never acknowledged", extra=extra)
        return SpoolSegment(path=path, records=scan.records, size=file.size)

    def _require_manifest(self) -> None:
        """Report that the manifest is missing if it was: a segment of this format is never without."""
        if not self._has_manifest:
            path = self._folder / MANIFEST_FILE
            spool_folder.mark_missing(path)
            sentence = "the manifest of the spool is missing, so that nobody knows whether a segment is missing too"
            self._damage.report_file(path.stem, sentence, events=0)
