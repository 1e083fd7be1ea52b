"""The web form over HTTP: what it shows, refuses, keeps and records."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from schemas.events.form_links import DutyLink, LinkKey
from schemas.events.ids import DutyKey
from tests.support.assertions.eventually import eventually
from tests.support.clients.form import AGENCIES_OF_FORM, ANSWERS, DUE, ENDED, NOW, PDF, SECRET, Site, post_form
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.services import Launch


def test_the_form_shows_the_duty_its_words_and_its_deadline(site: Site, browser: httpx.Client) -> None:
    """The page shows the agency, the clause, its exact wording and the due date in plain Vietnamese."""
    page = browser.get(site.address())
    assert page.status_code == 200
    for said in (
        f"UBND huyện {site.agency}",
        "mục III.1",
        "gửi kết quả trước ngày 10 tháng 12 hàng năm",
        "hết ngày 09/12/2026",
        "còn 8 ngày",
        "Vốn ủy thác",
        "triệu đồng",
        "ít nhất 1 tệp (PDF)",
    ):
        assert said in page.text
    assert "the end of 09/12/2026" in browser.get(site.address(language="en")).text


def test_the_form_lets_nothing_else_in(site: Site, browser: httpx.Client) -> None:
    """The headers of a page forbid scripts, frames, caches, referrers and cookies."""
    page = browser.get(site.address())
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script" not in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers
    assert "<script" not in page.text


async def test_a_successor_files_for_an_office_that_has_ended(site: Site, browser: httpx.Client) -> None:
    """The page names both; the report is the successor's, on behalf of the office, as is the receipt (ruling 7)."""
    address = site.address(site.token_of_successor())
    page = browser.get(address).text
    assert f"UBND huyện {ENDED}" in page
    assert f"Đơn vị kế thừa gửi thay</dt><dd><bdi>UBND huyện {site.agency}" in page
    assert "hết ngày 09/12/2025" in page
    sent = post_form(browser, address, files={"a.pdf": PDF})
    assert sent.status_code == 303
    (event,) = await site.events()
    assert (event["data"]["agency"], event["data"]["on_behalf_of"]) == (site.agency, ENDED)
    receipt = browser.get(site.intake.url + sent.headers["location"]).text
    assert f"UBND huyện {ENDED}" in receipt
    assert f"UBND huyện {site.agency}" in receipt


async def test_nobody_files_for_an_office_without_succeeding_to_it(site: Site, browser: httpx.Client) -> None:
    """A link that is true when it is signed and not any more is refused by the registry, and nothing is recorded."""
    link = DutyLink(
        duty=DutyKey(plan="P-1", agency=AGENCIES_OF_FORM[-1], obligation="results", period="2025"),
        issued_at=NOW,
        expires_at=NOW + timedelta(days=90),
        filed_by=site.agency,
    )
    refused = post_form(browser, site.address(LinkKey(SECRET).sign_link(link)), files={"a.pdf": PDF})
    assert refused.status_code == 422
    assert "không phải đơn vị kế thừa" in refused.text
    assert await site.events() == []


async def test_check_records_nothing_and_keeps_the_file(site: Site, browser: httpx.Client) -> None:
    """A check answers that the report is complete; its file is sent later without a second upload."""
    checked = post_form(browser, site.address(), action="check", files={"a.pdf": PDF})
    assert checked.status_code == 200
    assert "Báo cáo đã đầy đủ" in checked.text
    assert "đúng hạn" in checked.text
    assert await site.events() == []
    token = checked.text.split('name="kept" value="')[1].split('"')[0]
    sent = post_form(browser, site.address(), kept=token)
    assert sent.status_code == 303
    (event,) = await site.events()
    assert [one["name"] for one in event["data"]["attachments"]] == ["a.pdf"]


async def test_a_file_that_is_here_no_more_is_asked_for_again(site: Site, browser: httpx.Client) -> None:
    """A form left open for too long loses its files but not its answers, and no report with a lost file is recorded."""
    own = PDF + site.agency.encode()
    checked = post_form(browser, site.address(), action="check", files={"a.pdf": own})
    token = checked.text.split('name="kept" value="')[1].split('"')[0]
    (site.attachments / "unsent" / hashlib.sha256(own).hexdigest()).unlink()
    page = post_form(browser, site.address(), kept=token)
    assert page.status_code == 422
    assert "vui lòng chọn lại tệp" in page.text
    assert token not in page.text
    assert ANSWERS["sections.results"] in page.text
    assert await site.events() == []


def test_the_form_asks_for_what_is_asked_of_the_agency(site: Site, browser: httpx.Client) -> None:
    """What may be left empty says so, in both languages; what others are asked for is not there."""
    page = browser.get(site.address()).text
    for key, title in (("indicators.loans", "Tổng dư nợ"), ("sections.proposals", "Kiến nghị, đề xuất")):
        assert f'<label for="{key}">{title} <span class="soft">(không bắt buộc)</span></label>' in page
    assert "Vốn ủy thác<span" in page
    assert "Số hộ nghèo" not in page
    assert "(optional)" in browser.get(site.address(language="en")).text


async def test_a_slip_of_the_unit_is_shown_before_the_report_is_sent(site: Site, browser: httpx.Client) -> None:
    """A figure that fits no other is shown to its sender at once, who may send it all the same."""
    slip: dict[str, Any] = {
        "indicators__entrusted": "12000",
        "indicators__loans": "512",
        "sections__proposals": "Kéo dài thời hạn vay",
    }
    page = post_form(browser, site.address(), files={"a.pdf": PDF}, **slip)
    assert page.status_code == 200
    assert "“Vốn ủy thác” hoặc “Tổng dư nợ” ghi lệch 1.000 lần" in page.text
    assert "Số liệu đúng, vẫn gửi báo cáo" in page.text
    assert await site.events() == []
    token = page.text.split('name="kept" value="')[1].split('"')[0]
    assert post_form(browser, site.address(), action="send-anyway", kept=token, **slip).status_code == 303
    (event,) = await site.events()
    assert event["data"]["content"]["indicators"] == {"entrusted": 12000, "loans": 512}
    assert event["data"]["content"]["sections"]["proposals"] == "Kéo dài thời hạn vay"


async def test_an_incomplete_report_is_sent_only_on_request(site: Site, browser: httpx.Client) -> None:
    """An incomplete report is answered with the missing parts first, and recorded if it is sent again all the same."""
    page = post_form(browser, site.address(), indicators__entrusted="")
    assert page.status_code == 200
    assert "Vốn ủy thác (triệu đồng, từ 0)" in page.text
    assert "Vẫn gửi báo cáo chưa đầy đủ" in page.text
    assert await site.events() == []
    assert post_form(browser, site.address(), action="send-anyway", indicators__entrusted="").status_code == 303
    assert len(await site.events()) == 1


async def test_faults_stand_beside_their_fields(site: Site, browser: httpx.Client) -> None:
    """An invalid answer has its error beside its field, and the page still holds everything filled in."""
    page = post_form(
        browser, site.address(), document__number="", indicators__entrusted="1.234", files={"a.pdf": b"no pdf"}
    )
    assert page.status_code == 422
    assert 'id="document.number-fault"' in page.text
    assert "có thể hiểu là 1234 hoặc 1,234" in page.text
    assert "không phải là PDF" in page.text
    assert ANSWERS["sections.results"] in page.text
    assert await site.events() == []


def test_a_nil_return_needs_neither_figures_nor_files(site: Site, browser: httpx.Client) -> None:
    """A nil return needs only the document."""
    sent = post_form(browser, site.address(), content__nil_return="x", indicators__entrusted="", sections__results="")
    assert sent.status_code == 303


def test_a_forged_link_gets_a_courteous_page(site: Site, browser: httpx.Client) -> None:
    """A link that is signed with another key, cut off or missing is refused."""
    for token in (site.token(secret="another secret that is long enough, too"), site.token()[:-3], "x"):
        for answer in (browser.get(site.address(token)), post_form(browser, site.address(token))):
            assert answer.status_code == 403
            assert "Liên kết không hợp lệ" in answer.text
    assert browser.get(f"{site.intake.url}/form").status_code == 403


def test_a_link_to_no_duty_says_so(site: Site, browser: httpx.Client) -> None:
    """A genuine link to an unknown plan or period is answered with a page that explains it."""
    for token in (site.token(period="2026-13"), site.token(plan="P-9")):
        answer = browser.get(site.address(token))
        assert answer.status_code == 503
        assert "Chưa mở được nhiệm vụ" in answer.text


def test_an_expired_link_takes_nothing_and_still_shows_receipts(site: Site, browser: httpx.Client) -> None:
    """From the instant of its expiry a link opens no form, but an earlier receipt can still be read."""
    token = site.token(days=1)
    sent = post_form(browser, site.address(token), files={"a.pdf": PDF})
    site.steer(NOW + timedelta(days=1))
    for answer in (browser.get(site.address(token)), post_form(browser, site.address(token))):
        assert answer.status_code == 410
        assert "Liên kết đã hết hạn" in answer.text
    assert browser.get(site.intake.url + sent.headers["location"]).status_code == 200


def test_a_file_left_for_one_duty_is_not_another_s(site: Site, browser: httpx.Client) -> None:
    """The signed description of an uploaded file is valid only for the duty that it was uploaded for."""
    checked = post_form(browser, site.address(), action="check", files={"a.pdf": PDF})
    token = checked.text.split('name="kept" value="')[1].split('"')[0]
    page = post_form(browser, site.address(site.token(agency="h-40")), action="check", kept=token)
    assert page.status_code == 422
    assert "vui lòng chọn lại tệp" in page.text


def test_a_form_over_the_limit_is_refused(site: Site, browser: httpx.Client) -> None:
    """A form beyond the size limit is answered with a page that says so, and nothing is stored."""
    large = PDF + b" " * 2 * 1024 * 1024
    page = post_form(browser, site.address(), files={"a.pdf": large})
    assert page.status_code == 413
    assert "vượt quá dung lượng" in page.text
    assert not list(site.attachments.rglob(hashlib.sha256(large).hexdigest()))


def test_a_late_report_is_told_so_and_taken(site: Site, browser: httpx.Client) -> None:
    """From the due instant on the page shows the delay, and the report is still accepted."""
    site.steer(DUE)
    assert "đã quá hạn" in browser.get(site.address()).text
    assert "báo cáo quá hạn" in post_form(browser, site.address(), action="check", files={"a.pdf": PDF}).text
    assert post_form(browser, site.address(), files={"a.pdf": PDF}).status_code == 303


async def test_without_rules_a_report_is_taken_unchecked(
    site: Site, browser: httpx.Client, launch: Launch, intake_files: IntakeFiles
) -> None:
    """If rules cannot be asked, the check says so and the report can be sent, so that nobody is late because of it."""
    alone = launch(
        "intake",
        **intake_files.environment,
        DONDOC_CLOCK=f"steered:{site.clock}",
        DONDOC_FORM_KEY=SECRET,
        DONDOC_INTAKE_ATTACHMENTS=str(intake_files.folder / "attachments"),
        DONDOC_INTAKE_RULES_URL="http://127.0.0.1:9",
    )
    address = replace(site, intake=alone).address()
    assert "Hạn cuối" not in browser.get(address).text
    assert "trước ngày 10 tháng 12" in browser.get(address).text
    assert "chưa kiểm tra được" in post_form(browser, address, action="check").text
    assert post_form(browser, address).status_code == 303
    assert len(await site.events()) == 1


async def test_a_completed_report_is_on_file_for_the_next_visit(site: Site, browser: httpx.Client) -> None:
    """After an incomplete report the page asks for a supplement; the same document with it is complete."""
    post_form(browser, site.address(), action="send-anyway", indicators__entrusted="", files={"a.pdf": PDF})
    await eventually(lambda: "nhưng chưa đầy đủ" in browser.get(site.address()).text, "the incomplete report on file")
    assert post_form(browser, site.address(), files={"a.pdf": PDF}).status_code == 303
    await eventually(lambda: "đã nhận đầy đủ" in browser.get(site.address()).text, "the complete report on file")
