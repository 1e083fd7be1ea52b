"""`dondoc preview`: a letter of a plan as it would read, without a server."""

from email import message_from_bytes, policy
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.console.commands.plans.sample_letters import LetterKind
from services.console.main import app

PLAN = Path(__file__).parents[5] / "deploy" / "plans" / "6766-kh-ubnd"


def preview(kind: str, *options: str, agency: str = "h-dong-son") -> Result:
    """Run the command for a letter of 2024."""
    given = ["preview", kind, "--agency", agency, "--plan", str(PLAN), "--period", "2024", *options]
    return CliRunner().invoke(app, given)


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_kind_is_shown_as_text_page_and_text_message(kind: LetterKind, language: str) -> None:
    """In both languages; nothing in it is left open."""
    shown = preview(kind.value, "--lang", language)
    assert shown.exit_code == 0, shown.stderr
    assert f'<html lang="{language}"' in shown.stdout
    assert "SMS (unaccented, " in shown.stdout
    assert "None" not in shown.stdout
    assert "{{" not in shown.stdout


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--period", "20x", "--period: '20x' is not a reporting period"),
        ("--period", "2024-Q1", "--period: '2024-Q1' does not fit the recurrence of annual-results"),
        ("--obligation", "annual", "--obligation: 'annual' is not in plan 6766-KH-UBND@3"),
    ],
)
def test_what_the_plan_has_not_is_named(option: str, value: str, reason: str) -> None:
    """A period or an obligation that is none is told by its option, not as a duty without a date."""
    shown = preview("urging", option, value)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert reason in shown.stderr


def test_a_letter_is_written_as_mail_page_and_text(tmp_path: Path) -> None:
    """The mail opens as a mail, and the text has the text messages below it."""
    assert preview("urging", "--out", str(tmp_path)).exit_code == 0
    assert {one.name for one in tmp_path.iterdir()} == {f"urging.vi.{end}" for end in ("eml", "html", "txt")}
    mail = message_from_bytes((tmp_path / "urging.vi.eml").read_bytes(), policy=policy.default)
    assert mail["Subject"] == "Hạn 09/12/2024 – Đôn đốc lần 3: BC Kế hoạch 6766 năm 2024"
    text = (tmp_path / "urging.vi.txt").read_text(encoding="utf-8")
    assert "SMS (unaccented, 1): NHCSXH Thanh Hoa (don doc lan 3): " in text


def test_plan_and_period_have_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first shipped plan, below the working folder, and the duty that is due next."""
    monkeypatch.chdir(PLAN.parents[2])
    shown = CliRunner().invoke(app, ["preview", "reminder", "--agency", "so-tc"])
    assert shown.exit_code == 0, shown.stderr


def test_an_agency_that_owes_nothing_is_named() -> None:
    """The error names the agency, the obligation and the period."""
    shown = preview("reminder", agency="nhcsxh-tinh")
    assert shown.exit_code == 2
    assert "nhcsxh-tinh owes annual-results for 2024" in shown.stderr


def test_an_agency_that_nobody_knows_is_named_with_the_nearest() -> None:
    """A slip in an id is no duty without a date."""
    shown = preview("reminder", agency="h-dong-sonn")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "the registry has no agency h-dong-sonn; did you mean h-dong-son?" in shown.stderr
