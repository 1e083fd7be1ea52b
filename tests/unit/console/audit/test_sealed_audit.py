"""A sealed version is found in the log, its digests are checked, and figures are compared one by one."""

import pytest

from schemas.events.reports import EvaluationRecorded, ReportFormat
from services.console.audit import sealed_audit
from services.console.audit.auditor import AuditTarget
from services.console.audit.sealed_audit import SealedVersion
from services.reporting.sealing import report_decoder, report_events
from services.reporting.sealing.report_decoder import RecordedReportEvent
from tests.support.builders.reports.sealed_reports import SEALED_AT, a_sealed_report, sealed_contents
from tests.support.hostile.readers import a_record

TARGET = AuditTarget(plan="P-1", period="2026")


def events_of(version: int, signer: str = "An") -> list[RecordedReportEvent]:
    """The records of a version, read back."""
    sealed = a_sealed_report(version=version, signer=signer)
    records = [
        one for form, content in sealed_contents().items() for one in report_events.build_parts(sealed, form, content)
    ]
    records.append(report_events.build_seal(sealed))
    return [report_decoder.decode_report_event(a_record(one.value)) for one in records]


def test_a_version_is_found_with_its_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put together from their parts; of two records with one number the first counts."""
    monkeypatch.setattr(report_events, "PART_BYTES", 7)
    events = [*events_of(1), *events_of(2, "Bình"), *events_of(2, "Chi")]
    found = sealed_audit.select_version(events, TARGET, 2)
    assert found is not None
    assert (found.sealed.signer, dict(found.documents)) == ("Bình", dict(sealed_contents()))
    assert list(sealed_audit.check_seal(found)) == []
    assert sealed_audit.select_version(events, TARGET, 3) is None
    assert sealed_audit.select_version(events, AuditTarget(plan="P-1", period="2025"), 1) is None


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        (
            SealedVersion(sealed=a_sealed_report(), documents={**sealed_contents(), ReportFormat.PDF: b"other"}),
            ["/documents/pdf"],
        ),
        (
            SealedVersion(sealed=a_sealed_report(), documents={**sealed_contents(), ReportFormat.FIGURES: b"{}"}),
            ["/figures_sha256", "/documents/figures"],
        ),
        (
            SealedVersion(
                sealed=a_sealed_report().model_copy(update={"signer": "Bình"}), documents=dict(sealed_contents())
            ),
            ["/check_code"],
        ),
    ],
)
def test_what_is_not_as_it_was_sealed_is_named(found: SealedVersion, fields: list[str]) -> None:
    """A document of other bytes, other figures, another signer under the same check code."""
    assert [one["figure"] for one in sealed_audit.check_seal(found)] == fields


def test_figures_are_compared_in_every_member() -> None:
    """Value, unit and evidence; a figure that one side lacks; and the question itself."""
    sealed = {"period": "2026", "figures": {"a": {"value": "1", "evidence": ["e-1"]}, "b": {"value": 2}}}
    rebuilt = {"period": "2025", "figures": {"a": {"value": "1", "evidence": ["e-2"]}, "c": {"value": 3}}}
    assert list(sealed_audit.compare_figures(sealed, sealed)) == []
    assert list(sealed_audit.compare_figures(sealed, rebuilt)) == [
        {"figure": "/period", "sealed": "2026", "rebuilt": "2025"},
        {"figure": "a", "sealed": sealed["figures"]["a"], "rebuilt": rebuilt["figures"]["a"]},  # type: ignore[index]  # a mapping
        {"figure": "b", "sealed": {"value": 2}, "rebuilt": "(absent)"},
        {"figure": "c", "sealed": "(absent)", "rebuilt": {"value": 3}},
    ]


def test_the_years_before_are_rebuilt_too() -> None:
    """Results are compared with the year before, and grades look at the last three periods."""
    periods = sealed_audit.list_rebuilt_periods("2026-Q3")
    assert {"2026-Q3", "2026-09", "2025-Q3", "2023-Q3", None} <= set(periods)
    assert "2022-Q3" not in periods


def test_an_evaluation_counts_if_it_lies_before_the_offset() -> None:
    """Whatever its timestamp says: one that was recorded after the seal is none of its figures."""
    evaluation = EvaluationRecorded(
        plan="P-1", period="2026", agency="h-00", grade="A", sentence="Tốt.", evaluated_by="bank"
    )
    record = a_record(report_events.build_evaluation(evaluation, recorded_at=SEALED_AT).value)
    decoded = [(record, report_decoder.decode_report_event(record))]
    assert [one.evaluation for one in sealed_audit.select_evaluations(decoded, {0: 1})] == [evaluation]
    assert list(sealed_audit.select_evaluations(decoded, {0: 0})) == []
    assert list(sealed_audit.select_evaluations(decoded, {})) == []
