"""`dondoc preview`: every kind of letter of a plan as files, in both languages, without a server."""

from email import message_from_bytes, policy
from pathlib import Path

from typer.testing import CliRunner

from services.console.main import app

PLAN = Path(__file__).parents[5] / "deploy" / "plans" / "6766-kh-ubnd"


def test_each_kind_is_written_as_mail_page_and_text(tmp_path: Path) -> None:
    """Fourteen kinds in two languages; the mail opens as a mail, and the text has the text messages below it."""
    run = CliRunner().invoke(app, ["preview", str(PLAN), "--out", str(tmp_path), "--period", "2024"])
    assert run.exit_code == 0, run.stderr
    assert len(list(tmp_path.iterdir())) == 14 * 2 * 3
    mail = message_from_bytes((tmp_path / "05-third-urging.vi.eml").read_bytes(), policy=policy.default)
    assert mail["Subject"] == "Hạn 09/12/2024 – Đôn đốc lần 3: BC Kế hoạch 6766 năm 2024"
    text = (tmp_path / "05-third-urging.vi.txt").read_text(encoding="utf-8")
    assert "SMS (unaccented, 1): NHCSXH Thanh Hoa (don doc lan 3): " in text


def test_an_agency_that_owes_nothing_is_named(tmp_path: Path) -> None:
    """The error names the agency, the obligation and the period."""
    given = ["preview", str(PLAN), "--out", str(tmp_path), "--period", "2024", "--agency", "nhcsxh-tinh"]
    run = CliRunner().invoke(app, given)
    assert run.exit_code == 2
    assert "nhcsxh-tinh owes annual-results for 2024" in run.stderr
