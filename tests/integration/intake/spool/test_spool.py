"""The spool on a real disk: one sync for many, a bound, damage and torn ends, faults of the disk, one owner."""

import asyncio
import errno
import os
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

import pytest
from prometheus_client import CollectorRegistry

from services.intake.metrics import SpoolMetrics
from services.intake.spool.record_format import SpooledRecord
from services.intake.spool.spool import SEGMENT_BYTES, Spool, SpoolFullError
from services.intake.spool.spool_folder import SpoolInUseError, SpoolUnusableError

ROOM = 16 * 1024 * 1024


def a_record(number: int, size: int = 100) -> SpooledRecord:
    """A record of its own."""
    return SpooledRecord(key=b"h-mot", value=str(number).encode().ljust(size))


async def open_spool(folder: Path, max_bytes: int = ROOM) -> tuple[Spool, list[SpooledRecord]]:
    """A spool, and what was left in it."""
    spool = Spool(folder, max_bytes, SpoolMetrics(CollectorRegistry()))
    left: list[SpooledRecord] = []
    await spool.open(left.extend)
    return spool, left


def flip_bit(file: Path, place: int) -> bytes:
    """Flip a bit of *file* and return what it holds from then on."""
    content = bytearray(file.read_bytes())
    content[place] ^= 4
    file.write_bytes(content)
    return bytes(content)


def count_damaged_files(spool: Spool) -> float:
    """What the metric says of damaged files."""
    return float(spool._metrics.damaged_files._value.get())


def fail_with(number: int) -> Callable[..., NoReturn]:
    """A system call that fails."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    """An empty spool."""
    empty, _ = await open_spool(tmp_path)
    yield empty
    await empty.close()


async def read_all(spool: Spool) -> list[SpooledRecord]:
    """Everything in the spool, oldest first, removed as it is read."""
    found: list[SpooledRecord] = []
    while (segment := await spool.oldest()) is not None:
        found.extend(segment.records)
        await spool.remove(segment)
    return found


async def test_many_appends_share_a_sync(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one group is synced the next gathers; all of them come back in order."""
    syncs: list[int] = []
    monkeypatch.setattr(os, "fsync", syncs.append)
    await asyncio.gather(*(spool.append([a_record(number)]) for number in range(1_000)))
    assert len(syncs) <= 8
    assert await read_all(spool) == [a_record(number) for number in range(1_000)]
    assert spool.is_empty


async def test_an_append_returns_only_when_it_is_on_disk(spool: Spool, tmp_path: Path) -> None:
    """Another process would find it, had this one been killed right then."""
    await spool.append([a_record(1), a_record(2)])
    (file,) = tmp_path.glob("*.spool")
    assert file.stat().st_size > 200


async def test_the_bound_holds_for_those_who_wait_together(tmp_path: Path) -> None:
    """Room is taken before the write, and given back when the records are on the bus."""
    spool, _ = await open_spool(tmp_path, max_bytes=1_100)
    waiting = (spool.append([a_record(number)]) for number in range(20))
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    accepted = [one for one in outcomes if one is None]
    assert 0 < len(accepted) < 11
    assert all(isinstance(one, SpoolFullError) for one in outcomes if one is not None)
    assert len(await read_all(spool)) == len(accepted)
    await spool.append([a_record(99)])
    await spool.close()


async def test_what_was_left_is_found_and_comes_first(tmp_path: Path) -> None:
    """Segments are read back in their order, and new records follow."""
    first, _ = await open_spool(tmp_path)
    large = [a_record(number, SEGMENT_BYTES // 2) for number in range(3)]
    for record in large:
        await first.append([record])
    await first.close()
    second, left = await open_spool(tmp_path)
    assert left == large
    await second.append([a_record(4)])
    assert await read_all(second) == [*large, a_record(4)]
    await second.close()


async def test_a_torn_end_is_left_out_and_kept(tmp_path: Path) -> None:
    """What a crash left half written was never acknowledged; all before it is there, and the spool is intact."""
    first, _ = await open_spool(tmp_path)
    await first.append([a_record(1)])
    await first.append([a_record(2)])
    await first.close()
    (file,) = tmp_path.glob("*.spool")
    torn = file.read_bytes() + b"half a frame"
    file.write_bytes(torn)
    second, left = await open_spool(tmp_path)
    assert left == [a_record(1), a_record(2)]
    assert second.is_intact
    assert await read_all(second) == left
    assert [(one.name, one.read_bytes()) for one in tmp_path.glob("*.torn")] == [("000000000001.torn", torn)]
    await second.close()


async def test_a_damaged_segment_is_read_around_the_damage_and_kept(tmp_path: Path) -> None:
    """All other records come out in order, the loss is counted, and the bytes are kept as they are until recovered."""
    first, _ = await open_spool(tmp_path)
    for number in range(5):
        await first.append([a_record(number)])
    await first.close()
    (file,) = tmp_path.glob("*.spool")
    damaged = flip_bit(file, file.stat().st_size - 150)
    for _ in range(2):  # again after a restart before the replay
        second, left = await open_spool(tmp_path)
        assert len(left) == 4
        assert not second.is_intact
        assert (second._metrics.damaged_events._value.get(), count_damaged_files(second)) == (1, 1)
        await second.close()
    second, left = await open_spool(tmp_path)
    assert await read_all(second) == left
    await second.close()
    (kept,) = tmp_path.glob("*.damaged")
    assert (kept.name, kept.read_bytes(), kept.stat().st_mode & 0o777) == ("000000000001.damaged", damaged, 0o600)
    third, left = await open_spool(tmp_path)
    assert (left, third.is_intact, count_damaged_files(third)) == ([], False, 1)
    await third.close()


@pytest.mark.parametrize("gone", [1, 2, 3])
async def test_a_segment_that_is_gone_is_missed(tmp_path: Path, gone: int) -> None:
    """The first, one in the middle or the last: the manifest names it until an operator has dealt with it."""
    first, _ = await open_spool(tmp_path)
    for number in range(3):
        await first.append([a_record(number, SEGMENT_BYTES)])
    await first.close()
    (tmp_path / f"{gone:012}.spool").unlink()
    second, left = await open_spool(tmp_path)
    assert left == [a_record(number, SEGMENT_BYTES) for number in range(3) if number + 1 != gone]
    assert not second.is_intact
    assert await read_all(second) == left
    await second.append([a_record(9)])
    await second.close()
    assert (tmp_path / f"{gone:012}.missing").exists()
    third, left = await open_spool(tmp_path)
    assert (left, third.is_intact, count_damaged_files(third)) == ([a_record(9)], False, 1)
    assert third._metrics.damaged_events._value.get() == 0
    await third.close()


async def test_segments_that_were_replayed_are_not_missed(tmp_path: Path) -> None:
    """Numbers go on, and nothing is reported."""
    for number in range(3):
        spool, left = await open_spool(tmp_path)
        assert left == []
        await spool.append([a_record(number)])
        await read_all(spool)
        assert spool.is_intact
        await spool.close()
    assert list(tmp_path.glob("*.spool")) == []


@pytest.mark.parametrize("harm", ["damage", "remove"])
async def test_a_lost_manifest_is_told_and_costs_nothing(tmp_path: Path, harm: str) -> None:
    """Every segment is read; whether one is missing, nobody knows."""
    first, _ = await open_spool(tmp_path)
    await first.append([a_record(1)])
    await first.close()
    manifest = tmp_path / "manifest"
    if harm == "damage":
        flip_bit(manifest, 12)
    else:
        manifest.unlink()
    second, left = await open_spool(tmp_path)
    assert (left, second.is_intact, count_damaged_files(second)) == ([a_record(1)], False, 1)
    await read_all(second)
    await second.close()
    third, left = await open_spool(tmp_path)
    assert (left, third.is_intact) == ([], False)
    await third.close()


async def test_a_spool_of_the_first_format_is_read(tmp_path: Path) -> None:
    """An upgrade with a full spool: its records come first, and nothing is reported."""
    payload = struct.pack(">H", 5) + b"h-mot" + a_record(1).value
    frame = struct.pack(">II", len(payload), zlib.crc32(payload)) + payload
    (tmp_path / "000000000004.spool").write_bytes(frame)
    (tmp_path / "000000000005.spool").touch()  # the process was killed when it had created it
    spool, left = await open_spool(tmp_path)
    assert (left, spool.is_intact) == ([a_record(1)], True)
    await spool.append([a_record(2)])
    assert await read_all(spool) == [a_record(1), a_record(2)]
    assert list(tmp_path.glob("*.spool")) == []
    await spool.close()


async def test_a_failed_write_leaves_the_file_as_it_was(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails makes the append fail, and the next one is whole."""
    await spool.append([a_record(1)])

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SpoolFullError):
            await spool.append([a_record(2)])
    await spool.append([a_record(3)])
    assert await read_all(spool) == [a_record(1), a_record(3)]


async def test_after_a_failed_fsync_a_new_file_is_begun(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a disk has of a file after a failed fsync is not known, so nothing is acknowledged on top of it."""
    await spool.append([a_record(1)])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail_with(errno.EIO))
        with pytest.raises(SpoolFullError):
            await spool.append([a_record(2)])
    await spool.append([a_record(3)])
    assert [file.name for file in sorted(tmp_path.glob("*.spool"))] == ["000000000001.spool", "000000000002.spool"]
    assert await read_all(spool) == [a_record(1), a_record(3)]


async def test_a_first_append_that_fails_leaves_no_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missed afterwards, in this process or the next."""
    spool, _ = await open_spool(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail_with(errno.ENOSPC))
        with pytest.raises(SpoolFullError):
            await spool.append([a_record(1)])
    await spool.append([a_record(2)])
    await spool.close()
    second, left = await open_spool(tmp_path)
    assert (left, second.is_intact) == ([a_record(2)], True)
    await second.close()


async def test_blocks_that_a_disk_cannot_read_cost_what_lay_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad sector fails the read of the whole file; what lies in the other blocks is read all the same."""
    first, _ = await open_spool(tmp_path)
    records = [a_record(number, 3_000) for number in range(9)]
    for record in records:
        await first.append([record])
    await first.close()
    monkeypatch.setattr(Path, "read_bytes", fail_with(errno.EIO))
    pread = os.pread

    def read_all_but_one(descriptor: int, length: int, offset: int) -> bytes:
        if offset == 2 * 4096:
            raise OSError(errno.EIO, "Input/output error")
        return pread(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", read_all_but_one)
    second, left = await open_spool(tmp_path)
    lost = second._metrics.damaged_events._value.get()
    assert left == [record for record in records if record in left]
    assert lost == 9 - len(left) > 0
    await second.close()


async def test_a_segment_that_cannot_be_removed_is_no_obstacle(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records are on the log: a disk that has become read-only must not keep intake from the broker."""
    await spool.append([a_record(1)])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", fail_with(errno.EROFS))
        assert await read_all(spool) == [a_record(1)]
    assert spool.is_empty
    assert len(list(tmp_path.glob("*.spool"))) == 1


async def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """The message names the folder and the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(SpoolUnusableError, match="file/spool cannot be used: Not a directory"):
        await open_spool(tmp_path / "file" / "spool")


async def test_a_spool_has_one_owner(spool: Spool, tmp_path: Path) -> None:
    """A second process is refused before it can touch anything."""
    assert spool.is_empty
    with pytest.raises(SpoolInUseError):
        await open_spool(tmp_path)
