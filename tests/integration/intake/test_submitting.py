"""`dondoc submit` against the real intake: receipts out, refusals by line, patience while intake is away."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from schemas.events.topics import FACTS
from services.console.commands.intake.submit import submit
from services.console.main import app
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import a_submission
from tests.support.servers.certificates import Authority, over_tls
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service


async def run_submit(file: Path, service: Service, bearer: str, *options: str) -> tuple[int, list[dict[str, Any]], str]:
    """The exit code, the receipts and the talk of `dondoc submit`."""
    alone = Typer()
    alone.command()(submit)
    arguments = [str(file), "--url", service.url, "--key", bearer, *options]  # of an option given twice the last holds
    result = await asyncio.to_thread(CliRunner().invoke, alone, arguments)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def a_file(path: Path, *events: dict[str, Any]) -> Path:
    """Events, one a line."""
    path.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events), encoding="utf-8")
    return path


async def test_each_line_gets_its_receipt_and_a_second_run_the_same(
    intake: Service, bearer: str, published: Bus, tmp_path: Path
) -> None:
    """Submitting again is always safe."""
    file = a_file(tmp_path / "events.jsonl", *(a_submission(f"s-{number}") for number in range(3)))
    code, first, _ = await run_submit(file, intake, bearer)
    assert (code, [receipt["id"] for receipt in first]) == (0, ["s-0", "s-1", "s-2"])
    _, second, _ = await run_submit(file, intake, bearer)
    assert [one["receivedtime"] for one in second] == [one["receivedtime"] for one in first]
    assert len(await published.records(FACTS.name)) == 3


async def test_a_refused_line_is_named_and_the_others_are_handed_in(
    intake: Service, bearer: str, published: Bus, tmp_path: Path
) -> None:
    """Exit 1, the line and the pointer in the language asked for."""
    file = a_file(tmp_path / "events.jsonl", a_submission("s-0"), a_submission("s-1", data={"period": "2024-13"}))
    code, receipts, talk = await run_submit(file, intake, bearer, "--lang", "vi")
    assert (code, [receipt["id"] for receipt in receipts]) == (1, ["s-0"])
    assert "events.jsonl:2" in talk
    assert "/data/period" in talk
    assert len(await published.records(FACTS.name)) == 1


async def test_submit_waits_for_an_intake_that_is_being_restarted(
    intake: Service, bearer: str, published: Bus, tmp_path: Path
) -> None:
    """A killed intake is tried again until it is back."""
    file = a_file(tmp_path / "events.jsonl", a_submission())
    intake.kill()
    handing_in = asyncio.create_task(run_submit(file, intake, bearer))
    await asyncio.sleep(0)
    await asyncio.to_thread(intake.start)
    assert (await handing_in)[0] == 0
    assert len(await published.records(FACTS.name)) == 1


async def test_an_intake_that_stays_away_is_a_failure(intake: Service, bearer: str, tmp_path: Path) -> None:
    """After the attempts it was given, submit says that nothing was handed in."""
    file = a_file(tmp_path / "events.jsonl", a_submission())
    intake.kill()
    code, receipts, talk = await run_submit(file, intake, bearer, "--attempts", "2")
    assert (code, receipts) == (1, [])
    assert "cannot be reached" in talk


async def test_an_intake_that_nobody_vouches_for_is_told_nothing(
    start_intake: Callable[..., Service], bearer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, with the remedy; and that helps."""
    authority = Authority(tmp_path, "authority")
    service = start_intake(ready=False, **over_tls(authority))
    file = a_file(tmp_path / "events.jsonl", a_submission())
    secure = ("--url", service.url.replace("http:", "https:"), "--attempts", "20")
    code, receipts, talk = await run_submit(file, service, bearer, *secure)
    assert (code, receipts) == (2, [])
    assert "a certificate that is not trusted" in talk
    assert "SSL_CERT_FILE" in talk
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    code, receipts, _ = await run_submit(file, service, bearer, *secure)
    assert (code, len(receipts)) == (0, 1)


async def test_what_is_sent_is_what_the_file_says_and_its_receipt_is_for_the_file(
    intake: Service, bearer: str, published: Bus, intake_files: IntakeFiles, tmp_path: Path
) -> None:
    """Every figure in the sender's own writing, whatever holds the events; `receipt verify` finds each of them."""
    events = [
        json.dumps(a_submission(f"s-{number}", data={"note": f"a{inside}b"}), ensure_ascii=False).replace(
            '"indicators": {}', '"indicators": {"entrusted": 9984.20}'
        )
        for number, inside in enumerate(("\u2028", "\x85", "", ""))
    ]
    files = {
        "marked.json": f"\ufeff{events[0]}\n",
        "lines.jsonl": f"{events[1]}\r\n{events[2]}\n",
        "array.json": f"[{events[3]}]",
    }
    answers = tmp_path / "receipts.jsonl"
    for name, content in files.items():
        file = tmp_path / name
        file.write_bytes(content.encode())
        code, receipts, talk = await run_submit(file, intake, bearer)
        assert (code, talk) == (0, "")
        answers.write_text("".join(f"{json.dumps(one)}\n" for one in receipts), encoding="utf-8")
        command = ["receipt", "verify", str(answers), "--event", str(file)]
        verified = await asyncio.to_thread(CliRunner().invoke, app, command, env=intake_files.environment)
        assert verified.exit_code == 0, verified.stderr
    records = [record.value for record in await published.records(FACTS.name)]
    assert [value is not None and b"9984.20" in value for value in records] == [True] * len(events)


async def test_a_recipient_returns_and_accepts_a_report(
    intake: Service, intake_files: IntakeFiles, bearer: str, published: Bus
) -> None:
    """`dondoc return` and `dondoc accept` post to intake and print the receipt; a key without `--reviews` exits 1."""
    duty = ["P-1", "results", "2024", "h-mot", "--submission", "s-1", "--url", intake.url]

    async def run(command: str, key: str, *options: str) -> tuple[int, str, str]:
        result = await asyncio.to_thread(CliRunner().invoke, app, [command, *duty, "--key", key, *options])
        return result.exit_code, result.stdout, result.stderr

    term = ["--reason", "Sai đơn vị tính", "--respond-by", "2024-12-21T00:00:00+07:00", "--by", "nhcsxh-tinh"]
    code, receipt, _ = await run("return", bearer, *term)
    again = await run("return", bearer, *term)
    assert (code, again) == (0, (0, receipt, ""))
    assert (await run("accept", bearer))[0] == 0
    without_reviews = intake_files.add_key(may_review=False)

    async def is_refused() -> bool:
        code, _, talk = await run("accept", without_reviews, "--note", "x")
        assert code == 1
        return "/type" in talk

    await eventually(is_refused, "the type named, once intake has read the new key")
    returned, accepted = [json.loads(one.value or b"") for one in await published.records(FACTS.name)]
    assert (returned["data"]["reason"], returned["data"]["returned_by"]) == ("Sai đơn vị tính", "nhcsxh-tinh")
    assert (accepted["type"], accepted["data"]["note"]) == ("vn.dondoc.report.accepted.v1", "")
