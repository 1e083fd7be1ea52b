"""Archives are opened at a bounded cost, whatever their records say."""

import io
import time
import tracemalloc
import zipfile

import pytest

from services.intake.core.forms.zip_archive import (
    ENTRIES_MAX,
    OversizedArchive,
    UnreadableArchive,
    open_archive,
    read_entry,
)
from tests.support.builders.archives import a_zip_of_empty_entries, an_archive


def test_an_honest_archive_is_opened() -> None:
    """An archive with as many entries as are allowed is read like any other."""
    content = an_archive({f"{number}.xml": b"x" * 100 for number in range(ENTRIES_MAX)})
    with open_archive(io.BytesIO(content)) as archive:
        assert read_entry(archive, "17.xml", 50) == b"x" * 50
        assert read_entry(archive, "none.xml", 50) == b""


@pytest.mark.parametrize(
    "content",
    [
        a_zip_of_empty_entries(680_000, said=1),
        a_zip_of_empty_entries(680_000, said=1, is_zip64=True),
        a_zip_of_empty_entries(680_000, is_zip64=True),
        a_zip_of_empty_entries(ENTRIES_MAX + 1),
        a_zip_of_empty_entries(ENTRIES_MAX + 1, said=3),
        a_zip_of_empty_entries(ENTRIES_MAX + 1, is_zip64=True),
    ],
)
def test_too_many_entries_are_refused_before_they_are_listed(content: bytes) -> None:
    """Neither memory nor time grows with the directory, and a false count makes no difference."""
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(OversizedArchive), open_archive(io.BytesIO(content)):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - started < 3
    assert peak < 16 * 1024 * 1024


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    """The sizes that the directory states are added up."""
    bomb = an_archive({f"{number}.xml": bytes(200 * 1024 * 1024) for number in range(3)})
    assert len(bomb) < 1024 * 1024
    with pytest.raises(OversizedArchive), open_archive(io.BytesIO(bomb)):
        pass


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_damaged_is_unreadable() -> None:
    """Cut off, encrypted or with two entries of one name: the library's many errors are one."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.xml", b"1")
        archive.writestr("A.xml", b"2")
    honest = an_archive({"a.xml": b"x" * 1000})
    encrypted = honest.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    assert encrypted != honest
    for content in (b"", b"PK\x03\x04", stream.getvalue(), honest[:-8], honest[:20] + honest[30:], encrypted):
        with pytest.raises(UnreadableArchive), open_archive(io.BytesIO(content)) as opened:
            read_entry(opened, "a.xml", 10)
