"""The spool on a real disk: one sync for many, a bound, a torn tail, one owner."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.intake.metrics import IntakeMetrics
from services.intake.spool.record_format import SpooledRecord
from services.intake.spool.segment_files import SpoolInUseError
from services.intake.spool.spool import SEGMENT_BYTES, Spool, SpoolFullError

ROOM = 16 * 1024 * 1024


def a_record(number: int, size: int = 100) -> SpooledRecord:
    """A record of its own."""
    return SpooledRecord(key=b"h-mot", value=str(number).encode().ljust(size))


async def open_spool(folder: Path, max_bytes: int = ROOM) -> tuple[Spool, list[SpooledRecord]]:
    """A spool, and what was left in it."""
    spool = Spool(folder, max_bytes, IntakeMetrics(CollectorRegistry()))
    left: list[SpooledRecord] = []
    await spool.open(left.extend)
    return spool, left


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
    assert len(syncs) <= 5
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


async def test_a_torn_tail_is_cut_off_and_kept_aside(tmp_path: Path) -> None:
    """What a power cut left half written was never acknowledged; all before it is there."""
    first, _ = await open_spool(tmp_path)
    await first.append([a_record(1)])
    await first.append([a_record(2)])
    await first.close()
    (file,) = tmp_path.glob("*.spool")
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:50])
    second, left = await open_spool(tmp_path)
    assert left == [a_record(1), a_record(2)]
    assert file.read_bytes() == whole
    assert [torn.read_bytes() for torn in tmp_path.glob("*.torn")] == [whole[:50]]
    await second.close()


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


async def test_a_spool_has_one_owner(spool: Spool, tmp_path: Path) -> None:
    """A second process is refused before it can touch anything."""
    assert spool.is_empty
    with pytest.raises(SpoolInUseError):
        await open_spool(tmp_path)
