"""The form's receipt: one event, one receipt, shown as page and PDF to its own duty alone."""

import hashlib
import io
from datetime import timedelta

import httpx
import pypdf

from services.intake.form.submit_report import SOURCE
from tests.support.clients.form import NOW, PDF, Site, post_form


async def test_a_sent_form_is_one_event_with_a_signed_receipt(site: Site, browser: httpx.Client) -> None:
    """The event holds its source, agency and the digest of its file; the receipt shows them as a page and as a PDF."""
    sent = post_form(browser, site.address(), files={"bao cao.pdf": PDF})
    assert sent.status_code == 303
    (event,) = await site.events()
    assert event["source"] == SOURCE
    assert event["subject"] == site.agency
    assert event["receivedtime"] == "2026-12-01T02:00:00.000Z"
    assert event["data"]["content"]["indicators"] == {"entrusted": "1234.5"}
    assert event["data"]["content"]["figures_as_of"] == "2026-11-30"
    digest = hashlib.sha256(PDF).hexdigest()
    assert event["data"]["attachments"] == [
        {
            "name": "bao cao.pdf",
            "media_type": "application/pdf",
            "size": len(PDF),
            "sha256": digest,
            "url": f"urn:dondoc:attachment:sha256:{digest}",
        }
    ]
    assert (site.attachments / digest[:2] / digest).read_bytes() == PDF
    receipt = browser.get(site.intake.url + sent.headers["location"])
    assert event["receiptid"] in receipt.text
    assert "9 giờ 00 phút 00 giây, ngày 01/12/2026" in receipt.text
    assert "số 12/BC-UBND ngày 30/11/2026" in receipt.text
    paper = browser.get(site.intake.url + sent.headers["location"].replace("/form/receipt", "/form/receipt.pdf"))
    assert paper.headers["content-type"] == "application/pdf"
    text = pypdf.PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()
    assert "số 12/BC-UBND ngày 30/11/2026" in text.replace("\u200b", "")
    assert event["receiptid"] in text.replace("\u200b", "").replace("\n", "")
    assert "XÁC NHẬN TIẾP NHẬN BÁO CÁO" in text


async def test_a_double_click_is_one_event(site: Site, browser: httpx.Client) -> None:
    """The same answers sent twice, also through an older link, get the first receipt."""
    first = post_form(browser, site.address(), files={"a.pdf": PDF})
    site.steer(NOW + timedelta(hours=1))
    again = post_form(browser, site.address(site.token(days=30)), files={"a.pdf": PDF})
    assert len(await site.events()) == 1
    assert receipt_in(first) == receipt_in(again)


def test_a_receipt_is_shown_with_its_own_duty_only(site: Site, browser: httpx.Client) -> None:
    """A receipt with another agency's link or with a changed signature is not found."""
    sent = post_form(browser, site.address(), files={"a.pdf": PDF})
    signed = receipt_in(sent)
    other = f"{site.intake.url}/form/receipt?t={site.token(agency='h-40')}&r={signed}"
    changed = f"{site.intake.url}/form/receipt?t={site.token()}&r={signed[:-4]}AAAA"
    assert [browser.get(one).status_code for one in (other, changed)] == [404, 404]


def test_a_receipt_names_no_other_document_than_its_own(site: Site, browser: httpx.Client) -> None:
    """The document of another report's receipt is not shown; the receipt itself still is."""
    first, second = (
        post_form(browser, site.address(), action="send-anyway", document__number=number) for number in ("1/BC", "2/BC")
    )
    _, own = first.headers["location"].split("&d=")
    address = f"{site.intake.url}/form/receipt?t={site.token()}&r={receipt_in(second)}"
    shown = browser.get(f"{address}&d={own}")
    assert shown.status_code == 200
    assert "1/BC" not in shown.text
    assert browser.get(address).status_code == 200


def receipt_in(sent: httpx.Response) -> str:
    """The signed receipt in the address that an answer leads to."""
    return sent.headers["location"].split("&r=")[1].split("&")[0]
