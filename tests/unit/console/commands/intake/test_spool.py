"""`dondoc spool`: what a folder holds, what is lost, and that saving it loses and changes no byte."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from services.console.commands.intake import spool
from services.intake.metrics import SpoolMetrics
from services.intake.spool.damage import SpoolDamage
from services.intake.spool.segment_files import SegmentFiles
from tests.support.builders.plans import a_submission

Json = dict[str, Any]


def an_encoded_event(number: int) -> bytes:
    """The value of a record, as intake writes it."""
    return json.dumps(a_submission(f"s-{number}"), separators=(",", ":")).encode()


def fill_spool(folder: Path, *segments: int) -> SegmentFiles:
    """Fill a spool with so many events a segment, and leave it open."""
    files = SegmentFiles(folder, SpoolDamage(SpoolMetrics(CollectorRegistry())))
    files.open()
    while files.read_leftover() is not None:
        pass
    number = 0
    for count in segments:
        for _ in range(count):
            files.append([(b"h-mot", an_encoded_event(number))])
            number += 1
        files.seal()
    return files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spool of two segments with three events each, after intake was stopped."""
    fill_spool(tmp_path / "spool", 3, 3).close()
    return tmp_path / "spool"


def run(folder: Path, *arguments: str) -> tuple[int, list[Json], str]:
    """Run `dondoc spool`; return the exit code, the rows and the messages."""
    result = CliRunner().invoke(spool.app, [*arguments, "--spool", str(folder), "--format", "jsonl"])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def damage(path: Path, text: bytes) -> bytes:
    """Flip a bit in the first *text* of *path*, and return the content from then on."""
    content = path.read_bytes()
    place = content.index(text)
    content = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    path.write_bytes(content)
    return content


def read_events(folder: Path) -> list[str]:
    """The ids of the events that intake would replay, in its order."""
    files = SegmentFiles(folder, SpoolDamage(SpoolMetrics(CollectorRegistry())))
    files.open()
    found = []
    while (segment := files.read_leftover()) is not None:
        found += [json.loads(record.value)["id"] for record in segment.records]
    files.close()
    return found


def test_a_whole_spool_is_listed(folder: Path) -> None:
    """One line a segment, exit 0, and nothing is changed."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code, rows, _ = run(folder, "inspect")
    assert code == 0
    assert rows == [
        {"file": f"{number:012}.spool", "state": "intact", "events": 3, "events_lost": 0, "damaged": []}
        for number in (1, 2)
    ]
    assert run(folder, "recover")[::2] == (0, "nothing is to be recovered\n")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_damage_is_named_with_the_events_in_it(folder: Path) -> None:
    """Where it lies, how many events are lost, and the ids that can still be read; exit 1."""
    damage(folder / "000000000001.spool", b"s-1/BC-UBND")
    code, (first, second), _ = run(folder, "inspect")
    assert (code, second["state"]) == (1, "intact")
    assert (first["state"], first["events"], first["events_lost"]) == ("damaged", 2, 1)
    (place,) = first["damaged"]
    assert (place["events_lost"], place["ids"]) == (1, ["s-1"])
    assert 4096 < place["start"] < place["end"]


def test_what_is_whole_is_saved_and_the_damaged_file_kept(folder: Path) -> None:
    """Every whole event is replayed afterwards, in its order; the bytes stay; a second run finds nothing to do."""
    damaged = damage(folder / "000000000001.spool", b"s-1/BC-UBND")
    code, (row,), message = run(folder, "recover")
    assert (code, row["file"], row["events"], row["events_lost"]) == (1, "000000000001.spool", 2, 1)
    assert message.startswith("2 event(s) are in the spool again")
    assert (folder / "000000000001.recovered").read_bytes() == damaged
    assert run(folder, "inspect")[0] == 0
    assert run(folder, "recover")[0] == 0
    assert read_events(folder) == ["s-0", "s-2", "s-3", "s-4", "s-5"]


def test_what_the_first_version_cut_off_is_saved(folder: Path) -> None:
    """It took everything behind a damaged frame for torn; all of that but the frame itself is read."""
    payloads = [struct.pack(">H", 5) + b"h-mot" + an_encoded_event(number) for number in range(10, 13)]
    frames = [struct.pack(">II", len(one), zlib.crc32(one)) + one for one in payloads]
    torn = folder / "000000000007.torn"
    torn.write_bytes(frames[0][:-1] + b"!" + frames[1] + frames[2])
    code, rows, _ = run(folder, "inspect")
    assert code == 1
    (row,) = [row for row in rows if row["file"] == torn.name]
    assert (row["state"], row["events"], row["events_lost"]) == ("damaged", 2, None)
    assert row["damaged"][0]["ids"] == ["s-10"]
    assert run(folder, "recover")[0] == 1
    assert read_events(folder) == ["s-0", "s-1", "s-2", "s-3", "s-4", "s-5", "s-11", "s-12"]


def test_a_torn_end_is_no_loss(folder: Path) -> None:
    """It was never acknowledged: exit 0."""
    path = folder / "000000000002.spool"
    path.write_bytes(path.read_bytes() + b"half a frame")
    code, (_, torn), _ = run(folder, "inspect")
    assert (code, torn["state"], torn["events"], torn["events_lost"]) == (0, "torn", 3, 0)


@pytest.mark.parametrize("gone", [1, 2])
def test_a_segment_that_is_gone_is_named(folder: Path, gone: int) -> None:
    """How many events were in it, nobody knows."""
    (folder / f"{gone:012}.spool").unlink()
    code, rows, _ = run(folder, "inspect")
    assert (code, rows[0]) == (
        1,
        {"file": f"{gone:012}.spool", "state": "missing", "events": 0, "events_lost": None, "damaged": []},
    )
    assert run(folder, "recover")[0] == 1
    assert run(folder, "inspect")[0] == 0


def test_a_damaged_manifest_is_named_and_made_anew(folder: Path) -> None:
    """No event is lost by it, but a missing segment would not be noticed."""
    damage(folder / "manifest", b"man")
    code, rows, _ = run(folder, "inspect")
    assert (code, rows[0]["file"], rows[0]["state"]) == (1, "manifest", "damaged")
    assert run(folder, "recover")[0] == 1
    assert run(folder, "inspect")[0] == 0
    assert len(read_events(folder)) == 6


@pytest.mark.parametrize("command", ["inspect", "recover"])
def test_a_spool_in_use_is_refused(tmp_path: Path, command: str) -> None:
    """The message says what to do; exit 2."""
    files = fill_spool(tmp_path / "spool", 1)
    code, rows, message = run(tmp_path / "spool", command)
    assert (code, rows) == (2, [])
    assert "another process uses the spool" in message
    assert "stop intake first" in message
    files.close()


@pytest.mark.parametrize("command", ["inspect", "recover"])
def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, command: str) -> None:
    """It is not created, and the message names the option; exit 2."""
    code, rows, message = run(tmp_path / "nowhere", command)
    assert (code, rows) == (2, [])
    assert "nowhere" in message
    assert "--spool" in message
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_spool_is_said_to_be_empty(tmp_path: Path) -> None:
    """Exit 0."""
    fill_spool(tmp_path / "spool").close()
    assert run(tmp_path / "spool", "inspect") == (0, [], "the spool is empty\n")


def test_it_is_a_table_for_people(folder: Path) -> None:
    """Unless lines are asked for."""
    result = CliRunner().invoke(spool.app, ["inspect", "--spool", str(folder)])
    assert "000000000001.spool" in result.stdout
    assert "intact" in result.stdout
