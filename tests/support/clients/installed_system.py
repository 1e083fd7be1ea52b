"""An installation as those outside see it: a sender, the officer and an agency's mailbox, by addresses alone.

For `make containers` and `make cluster`, which run the same season on two kinds of installation.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

NOW = "2026-12-01T09:00:00+07:00"  # a Tuesday within the sending hours, nine days before the results are due
PERIOD = "/v1/plans/6766-KH-UBND/periods/2026"
SOURCE = "urn:qlvb:tinh"
AGENCY, OTHER_AGENCIES = "so-gddt", ("so-ct", "so-dttg")
ADDRESS = "van-thu@so-gddt.example"
CONTACTS = f"agency,channel,address\n{AGENCY},email,{ADDRESS}\n"
FILE = b"%PDF-1.7 a report"
DOCUMENTS = {"pdf": b"%PDF-", "docx": b"PK", "xlsx": b"PK"}
SECONDS = 180.0


def wait_until(probe: Callable[[], object], what: str, *, timeout: float = SECONDS) -> None:
    """Wait until *probe* returns something true; *what* describes it for the error."""
    deadline = time.monotonic() + timeout
    while not probe():
        assert time.monotonic() < deadline, f"never saw {what} within {timeout:g} s"
        time.sleep(0.2)


def a_report(agency: str) -> dict[str, Any]:
    """Build the complete report of an agency for 2026, as its own system would send it."""
    attachment = {"name": "bc.pdf", "media_type": "application/pdf", "size": len(FILE), "url": None}
    return {
        "specversion": "1.0",
        "id": f"bc-{agency}",
        "source": SOURCE,
        "type": "vn.dondoc.report.submitted.v1",
        "subject": agency,
        "time": "2026-12-01T08:00:00+07:00",
        "datacontenttype": "application/json",
        "data": {
            "plan": "6766-KH-UBND",
            "obligation": "annual-results",
            "period": "2026",
            "agency": agency,
            "document": {"number": "1/BC", "issued_on": "2026-12-01", "signed_by": "Lê Văn A", "title": "Báo cáo"},
            "dispatch": {"sent_at": None, "proof": "none", "reference": None},
            "content": {
                "nil_return": False,
                "figures_as_of": None,
                "sections": {"results": "Đã triển khai kế hoạch."},
                "indicators": {"entrusted_local_budget": 5000},
            },
            "attachments": [{**attachment, "sha256": hashlib.sha256(FILE).hexdigest()}],
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledSystem:
    """Where the services and the mailbox are, and the keys of a sender and of a reader of everything."""

    client: httpx.Client
    intake: str
    reporting: str
    mailbox: str
    sender: str
    reader: str

    def post_report(self, agency: str) -> str:
        """Post the report of an agency and return the id of its receipt."""
        headers = {"authorization": f"Bearer {self.sender}", "content-type": "application/cloudevents+json"}
        answer = self.client.post(f"{self.intake}/v1/events", json=a_report(agency), headers=headers)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return str(answer.json()["receipts"][0]["receiptid"])

    def read(self, path: str) -> httpx.Response:
        """Ask reporting as the officer."""
        return self.client.get(f"{self.reporting}{path}", headers={"authorization": f"Bearer {self.reader}"})

    def wait_until_assessed(self, agency: str) -> None:
        """Wait until reporting shows the duty of an agency as done, which rules has found and reporting has read."""

        def is_assessed() -> bool:
            answer = self.read(f"/v1/duties?agency={agency}&period=2026")
            return answer.status_code == httpx.codes.OK and '"on_time"' in answer.text

        wait_until(is_assessed, f"the report of {agency} is assessed")

    def mail_subjects(self) -> list[str]:
        """Return the subjects of the mails to the agency's address, the newest first."""
        found = self.client.get(f"{self.mailbox}/api/v1/messages").json()["messages"]
        return [str(one["Subject"]) for one in found if [to["Address"] for to in one["To"]] == [ADDRESS]]

    def check_report_becomes_mail_and_document(self) -> None:
        """Check that the agency is reminded, its report acknowledged by mail, and the annual report there as files."""
        wait_until(self.mail_subjects, "the agency is reminded")
        (reminder,) = self.mail_subjects()
        self.post_report(AGENCY)
        wait_until(lambda: len(self.mail_subjects()) == 2, "the report is acknowledged")
        assert self.mail_subjects()[0] != reminder
        self.wait_until_assessed(AGENCY)
        for extension, beginning in DOCUMENTS.items():
            document = self.read(f"{PERIOD}/report.{extension}")
            assert document.status_code == httpx.codes.OK, document.text
            assert document.content.startswith(beginning)
