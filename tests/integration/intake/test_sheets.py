"""`dondoc submit` with a filled report sheet, against the real intake."""

import asyncio
import json
from pathlib import Path

import httpx
from typer.testing import CliRunner, Result

from schemas.events.topics import FACTS
from services.console.main import app
from services.console.sheets.layout import FORMAT
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

SHEET = f"""Mã,Nội dung,Trả lời,Đơn vị tính,Hướng dẫn
format,Mẫu phiếu,{FORMAT}
plan,Kế hoạch,P-1
obligation,Nhiệm vụ,results
zone,Múi giờ,Asia/Ho_Chi_Minh
agency,Cơ quan báo cáo,h-mot – UBND huyện h-mot
period,Kỳ báo cáo,2024
document.number,Số,12/BC-UBND
document.issued_on,Ngày,01/12/2024
sections.results,Kết quả,Đã làm
"""


async def handed_in(file: Path, intake: Service, key: str) -> Result:
    """The run of `dondoc submit` on *file*."""
    arguments = ["submit", str(file), "--url", intake.url, "--key", key, "--lang", "vi", "--attempts", "1"]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_a_sheet_is_handed_in_once_and_refused_by_cell(
    client: httpx.AsyncClient, intake: Service, published: Bus, bearer: str, tmp_path: Path
) -> None:
    """The same sheet sent twice is one event with one receipt; a refusal by intake names the cell that it is about."""
    assert client.base_url == intake.url
    file = tmp_path / "report.csv"
    file.write_text(SHEET, encoding="utf-8-sig")
    first, again = await handed_in(file, intake, bearer), await handed_in(file, intake, bearer)
    assert first.exit_code == 0, first.stderr
    assert json.loads(first.stdout)["receiptid"] == json.loads(again.stdout)["receiptid"]
    events = [record.json for record in await published.records(FACTS.name)]
    assert [event["data"]["document"]["number"] for event in events] == ["12/BC-UBND"]

    file.write_text(SHEET.replace(",2024\n", ",2024-Q1\n"), encoding="utf-8-sig")
    refused = await handed_in(file, intake, bearer)
    assert refused.exit_code == 1
    assert "report.csv:7: 2024-Q1 không khớp" in refused.stderr


async def test_what_a_sheet_lacks_is_told_and_the_report_is_taken(
    client: httpx.AsyncClient, intake: Service, published: Bus, bearer: str, tmp_path: Path
) -> None:
    """An incomplete report is on file; its sender learns so at the cell, beside the receipt."""
    assert client.base_url == intake.url
    file = tmp_path / "report.csv"
    file.write_text(SHEET.replace("Kết quả,Đã làm", "Kết quả *,"), encoding="utf-8-sig")
    taken = await handed_in(file, intake, bearer)
    assert taken.exit_code == 0
    assert json.loads(taken.stdout)["receiptid"]
    assert taken.stderr == f"{file}:10: cảnh báo: ô này còn để trống; thiếu mục này, báo cáo sẽ chưa đầy đủ\n"
    assert len(await published.records(FACTS.name)) == 1
