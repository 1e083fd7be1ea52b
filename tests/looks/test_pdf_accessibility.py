"""The PDF of the report is PDF/UA-1 (ISO 14289-1): veraPDF, the reference validator, finds no rule that it breaks."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from services.reporting.core.report import printed_report
from services.reporting.core.report.inputs import ReportInputs, ReportSeal
from services.reporting.documents import pdf
from tests.support.builders.annual_report import a_plan
from tests.support.builders.reports.report_inputs import some_report_inputs

SEAL = ReportSeal(
    version=2, check_code="7ZQ4K-0M3RT-X9V2C-H6D1P", verification_address="https://bao-cao.example/verify/1"
)
SECONDS_MAX = 300


@pytest.fixture(scope="module")
def validator(jars: Path) -> Path:
    """The jars of veraPDF, which `make looks` fetches beside the broker's."""
    return jars.parents[1] / "verapdf" / "jars"


def test_the_pdf_breaks_no_rule_of_pdf_ua(validator: Path, tmp_path: Path) -> None:
    """A draft, a sealed report with its QR code, and a report without figures; each has the field of the signature."""
    reports: dict[str, ReportInputs] = {
        "draft": some_report_inputs(),
        "sealed": replace(some_report_inputs(), seal=SEAL),
        "without-figures": some_report_inputs(a_plan(), results=(), evaluations=(), findings=()),
    }
    files = []
    for name, inputs in reports.items():
        files.append(tmp_path / f"{name}.pdf")
        files[-1].write_bytes(pdf.render_pdf(printed_report.compile_content(inputs)))
    command = [
        "java",
        "-cp",
        f"{validator}/*",
        "org.verapdf.apps.GreenfieldCliWrapper",
        "--flavour",
        "ua1",
        "--format",
        "text",
        "-v",
    ]
    found = subprocess.run(
        [*command, *map(str, files)], check=False, capture_output=True, text=True, timeout=SECONDS_MAX
    )
    verdicts = [line for line in found.stdout.splitlines() if line.startswith(("PASS", "FAIL"))]
    assert verdicts == [f"PASS {file} ua1" for file in files], found.stdout + found.stderr
