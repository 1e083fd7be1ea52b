"""A spool whose files were harmed while intake was stopped: what is whole reaches the log, and the rest is told."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import FACTS
from services.console.commands.intake import spool as spool_command
from services.intake.spool import record_format
from services.intake.spool.record_format import HEADER_BYTES, SegmentHeader
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import Json, a_submission
from tests.support.servers.intake import IntakeFiles, encode_event, open_client
from tests.support.servers.intake_workers import WORKERS, wait_until_workers_serve
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

EVENTS = 30


@pytest.fixture
async def spooled(start_intake: Callable[..., Service], bearer: str, kafka: Kafka) -> list[Json]:
    """The receipts of events that an intake has spooled, which was killed then; the broker is away."""
    service = start_intake()
    kafka.kill()
    async with open_client(service, bearer) as client:
        receipts = await post_in_order(client, range(EVENTS))
    service.kill()
    return receipts


async def post_in_order(client: httpx.AsyncClient, numbers: range) -> list[Json]:
    """Post one after the other and return the receipts."""
    receipts = []
    for number in numbers:
        answer = await client.post("/v1/events", content=encode_event(a_submission(f"s-{number}")))
        assert answer.status_code == 202, answer.text
        receipts.extend(answer.json()["receipts"])
    return receipts


def segment_of(files: IntakeFiles) -> Path:
    """The one segment of the spool."""
    (path,) = (files.folder / "spool").glob("*.spool")
    return path


def harm(path: Path, *places: int) -> bytes:
    """Flip a bit at each of *places*, and return what the file holds from then on."""
    content = bytearray(path.read_bytes())
    for place in places:
        content[place] ^= 16
    path.write_bytes(content)
    return bytes(content)


async def ids_in(bus: Bus, count: int) -> list[str]:
    """The ids in the log, once there are *count*."""

    async def enough() -> list[str]:
        found = [record.json["id"] for record in await bus.records(FACTS.name)]
        return found if len(found) >= count else []

    return await eventually(enough, f"{count} facts in the log", timeout=60)


def checks_of(service: Service) -> Json:
    """What `/readyz` says."""
    return dict(httpx.get(f"{service.url}/readyz").json())


def metric(service: Service, name: str) -> float:
    """One sample of the metrics."""
    lines = httpx.get(f"{service.url}/metrics").text.splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
    return float(value)


async def test_one_flipped_bit_costs_one_event_and_is_told_until_it_is_recovered(
    start_intake: Callable[..., Service], published: Bus, kafka: Kafka, intake_files: IntakeFiles, spooled: list[Json]
) -> None:
    """All others reach the log in order; log line, counter, gauge, `/readyz` and `dondoc spool` name the loss."""
    path = segment_of(intake_files)
    damaged = harm(path, path.read_bytes().index(b"s-12/BC-UBND"))
    kafka.start()
    service = start_intake(ready=False)
    found = await ids_in(published, EVENTS - 1)
    assert found == [one["id"] for one in spooled if one["id"] != "s-12"]
    await eventually(lambda: checks_of(service)["kafka"], "the broker in use")
    found_by_probe = checks_of(service)
    assert "dondoc spool inspect" in found_by_probe.pop("waiting_for")["spool"]
    assert found_by_probe == {"kafka": True, "spool": False, "log": True, "references": True}
    assert metric(service, "intake_spool_damaged_events_total") == 1
    assert metric(service, "intake_spool_damaged_files") == 1
    (line,) = [line for line in service.log_lines() if line.get("action") == "spool_damaged"]
    assert (line["level"], line["segment"], line["events_lost"]) == ("critical", path.stem, 1)
    assert run_spool(intake_files, "recover")[0] == 2
    service.stop()
    kept = path.with_suffix(".damaged")
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (damaged, 0o600)
    code, rows = run_spool(intake_files, "recover")
    assert (code, rows[0]["events_lost"], rows[0]["damaged"][0]["ids"]) == (1, 1, ["s-12"])
    bearer = intake_files.add_key()
    again = start_intake()
    async with open_client(again, bearer) as client:
        (receipt,) = await post_in_order(client, range(12, 13))
    assert await ids_in(published, EVENTS) == [*found, "s-12"]
    assert receipt["receiptid"] == spooled[12]["receiptid"]
    assert again.is_ready()


def run_spool(files: IntakeFiles, command: str) -> tuple[int, list[Json]]:
    """Run `dondoc spool COMMAND`; return the exit code and the rows."""
    result = CliRunner().invoke(
        spool_command.app, [command, "--spool", str(files.folder / "spool"), "--format", "jsonl"]
    )
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.chaos
async def test_every_process_tells_of_the_damage(
    start_intake: Callable[..., Service], published: Bus, kafka: Kafka, intake_files: IntakeFiles, spooled: list[Json]
) -> None:
    """A worker is asked as often as the main process is."""
    harm(segment_of(intake_files), HEADER_BYTES + 30)
    kafka.start()
    service = start_intake(ready=False, DONDOC_INTAKE_WORKERS=str(WORKERS))
    await ids_in(published, len(spooled) - 1)
    await eventually(lambda: checks_of(service)["kafka"], "the broker in use")
    await wait_until_workers_serve(service)
    for _ in range(20):
        assert checks_of(service)["spool"] is False


@pytest.mark.chaos
async def test_a_recovered_spool_is_drained_without_a_double(
    start_intake: Callable[..., Service], published: Bus, kafka: Kafka, intake_files: IntakeFiles, spooled: list[Json]
) -> None:
    """Recovered before and after the replay: what the log has is left out, in whatever file it stands again."""
    path = segment_of(intake_files)
    harm(path, path.read_bytes().index(b"s-3/BC-UBND"))
    assert run_spool(intake_files, "recover")[0] == 1
    recovered = path.with_suffix(".recovered")
    kafka.start()
    service = start_intake()
    assert len(await ids_in(published, EVENTS - 1)) == EVENTS - 1
    service.stop()
    recovered.rename(path.with_suffix(".damaged"))
    assert run_spool(intake_files, "recover")[0] == 1
    again = start_intake()
    await eventually(lambda: metric(again, "intake_spool_bytes") == 0, "the spool drained")
    assert [one["id"] for one in spooled if one["id"] != "s-3"] == await ids_in(published, EVENTS - 1)


@pytest.mark.chaos
async def test_a_spool_of_the_first_version_is_drained(
    start_intake: Callable[..., Service], published: Bus, kafka: Kafka, intake_files: IntakeFiles, spooled: list[Json]
) -> None:
    """With damage in the middle, behind which that version had dropped everything."""
    path = segment_of(intake_files)
    content = path.read_bytes()
    header = record_format.decode_header(content)
    assert header is not None
    frames, at = [], HEADER_BYTES
    while at < header.sealed_bytes:
        frame = record_format.read_frame(content, at, number=header.number)
        assert frame is not None
        payload = struct.pack(">H", len(frame.record.key)) + frame.record.key + frame.record.value
        frames.append(struct.pack(">II", len(payload), zlib.crc32(payload)) + payload)
        at = frame.end
    path.write_bytes(b"".join(frames))
    (intake_files.folder / "spool" / "manifest").unlink()
    harm(path, path.read_bytes().index(b"s-20/BC-UBND"))
    kafka.start()
    start_intake(ready=False)
    assert await ids_in(published, EVENTS - 1) == [one["id"] for one in spooled if one["id"] != "s-20"]


@pytest.mark.chaos
async def test_a_record_that_is_no_event_holds_nothing_up(
    start_intake: Callable[..., Service], published: Bus, kafka: Kafka, intake_files: IntakeFiles, spooled: list[Json]
) -> None:
    """It is whole and means nothing: it is kept and told, and the others go to the log."""
    header = SegmentHeader(number=2, sealed_bytes=HEADER_BYTES, sealed_records=0)
    frames = record_format.encode_records([(b"h-mot", b"no event"), (b"h-mot", b'{"id":1}')], after=header)
    sealed = SegmentHeader(number=2, sealed_bytes=HEADER_BYTES + len(frames), sealed_records=2)
    path = segment_of(intake_files).with_name("000000000002.spool")
    path.write_bytes(record_format.encode_header(sealed).ljust(HEADER_BYTES, b"\0") + frames)
    kafka.start()
    service = start_intake(ready=False)
    assert await ids_in(published, EVENTS) == [one["id"] for one in spooled]
    await eventually(lambda: not path.exists(), "the second segment out of the spool")
    assert path.with_suffix(".damaged").exists()
    assert metric(service, "intake_spool_damaged_events_total") == 2


async def test_a_second_process_on_one_spool_is_refused(start_intake: Callable[..., Service], intake: Service) -> None:
    """It ends with one line that names the folder and the setting; the first one goes on."""
    second = start_intake(ready=False)
    await second.wait_until_ended()
    (line,) = [line for line in second.log_lines() if line.get("action") == "spool_unusable"]
    assert line["level"] == "critical"
    assert "another process uses the spool" in line["reason"]
    assert "DONDOC_INTAKE_SPOOL" in line["reason"]
    assert intake.is_ready()
