"""What a clerk or an officer did wrong is told in the language of their locale, or in the one that they asked for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.console.main import app
from services.console.support import output
from tests.support.builders.plan_folders import a_folder

VIETNAMESE = {"LANG": "vi_VN.UTF-8"}
NOBODY = "http://127.0.0.1:9"  # the port of the discard service, at which nobody listens

REFUSALS = {
    "submit missing.json": "missing.json: không có tệp hoặc thư mục này",
    "submit report.doc": "report.doc: không nhận tệp đuôi .doc",
    "submit list.json --key ddk": "list.json: không phải JSON: lỗi ở dòng 1, cột 2",
    "submit event.json": "chưa có khóa",
    f"submit event.json --key ddk --attempts 1 --url {NOBODY}": "không kết nối được với dịch vụ tiếp nhận",
    "submit event.json --key ddk --url ftp://x": "đây không phải địa chỉ của dịch vụ tiếp nhận",
    "submit table.csv": "table.csv:1: đây không phải phiếu báo cáo",
    "sheet plan results -o report.pdf": "report.pdf: hãy đặt tên phiếu có đuôi .xlsx hoặc .csv",
    "sheet plan other -o report.csv": "--obligation: kế hoạch P-1@1 không có nhiệm vụ “other”",
    "sheet plan results -o report.csv --agency x": "--agency: danh sách đơn vị th@1 không có “x”",
    "sheet plan results -o report.csv --period 20x": "--period: “20x” không phải là kỳ báo cáo",
    "link P results --agency h-mot --period 20x": "--period: “20x” không phải là kỳ báo cáo",
    "link P results --agency h-mot": "hãy đặt DONDOC_FORM_KEY",
    "preview urging --agency x --plan plan": "--agency: danh sách đơn vị không có “x”",
    "return P results 2026 h-mot --submission s --reason x --respond-by soon": "“soon” không phải là thời điểm",
    "accept P results 2026 h-mot --submission s --key k.": "không kết nối được với dịch vụ tiếp nhận",
    f"seal P 2026 --signer An --url {NOBODY}": f"dịch vụ báo cáo tại {NOBODY} không trả lời",
    f"report P 2026 -o r.pdf --url {NOBODY}": f"dịch vụ báo cáo tại {NOBODY} không trả lời",
    "contacts import contacts.csv --plan plan": "contacts.csv:2: ",
    "contacts check --season 20x": "--season: “20x” không phải là kỳ báo cáo",
    "contacts remove": "hãy nói rõ đầu mối của ai",
    "deliveries show 7": "“7” không phải mã lượt gửi",
    "deliveries list --state gone": "--state gone: hãy ghi một trong các giá trị",
    "deliveries resend --author A --reason R": "hãy ghi mã một lượt gửi",
    "deliveries erase --ended-before today": "--ended-before: “today” không phải là ngày",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands run: a plan, and files that are not what they should be."""
    (tmp_path / "plan").mkdir()
    a_folder(tmp_path / "plan")
    (tmp_path / "list.json").write_text("[,]")
    (tmp_path / "event.json").write_text("{}")
    (tmp_path / "report.doc").write_text("")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    (tmp_path / "contacts.csv").write_text("agency,channel,address\nh-mot,email,nowhere\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", REFUSALS)
def test_a_refusal_is_in_the_language_of_the_locale(command: str) -> None:
    """Vietnamese where the locale is; English where it is not, and each names the place and the remedy."""
    arguments = [*command.split(), *(["--attempts", "1", "--url", NOBODY] if command.startswith("accept") else [])]
    told = CliRunner().invoke(app, arguments, env=VIETNAMESE)
    assert told.exit_code != 0
    assert REFUSALS[command] in told.stderr
    english = CliRunner().invoke(app, arguments, env={"LANG": "en_US.UTF-8"})
    assert REFUSALS[command] not in english.stderr or command.startswith("contacts import")


def test_the_option_comes_before_the_locale(folder: Path) -> None:
    """Whoever asks for a language gets it."""
    told = CliRunner().invoke(app, ["submit", str(folder / "event.json"), "--lang", "en"], env=VIETNAMESE)
    assert "there is no key" in told.stderr


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "vi"}, "en"),
        ({"LANG": "vi_VN", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fr:vi:en"}, "vi"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "", "LC_ALL": ""}, "en"),
    ],
)
def test_the_locale_names_the_language(variables: dict[str, str], language: str) -> None:
    """By POSIX and GNU gettext; English where it names neither of ours."""
    assert output.find_language(variables) == language
