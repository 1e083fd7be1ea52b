"""Which version a request to seal makes."""

import pytest

from services.reporting.core.sealing import versions
from services.reporting.core.sealing.versions import SealRequest, VersionConflictError
from tests.support.builders.reports.sealed_reports import a_sealed_report


def a_request(version: int | None, signer: str = "An") -> SealRequest:
    """A request of a signer who expects a version."""
    return SealRequest(plan="P-1", period="2024", signer=signer, version=version)


SECOND = a_sealed_report(version=2, signer="An")


def test_versions_are_counted_from_one() -> None:
    """The first, and the one after the newest; with or without an expected number."""
    assert versions.choose_version(a_request(None), None) == 1
    assert versions.choose_version(a_request(1), None) == 1
    assert versions.choose_version(a_request(None), SECOND) == 3
    assert versions.choose_version(a_request(3), SECOND) == 3


def test_a_repeated_request_makes_no_second_version() -> None:
    """The same signer expects the version that is the newest: that request has been answered before."""
    assert versions.choose_version(a_request(2), SECOND) is None


@pytest.mark.parametrize(("version", "signer"), [(2, "Bình"), (1, "An"), (4, "An")])
def test_another_number_than_the_next_is_a_conflict(version: int, signer: str) -> None:
    """Somebody else has sealed it meanwhile, or it lies further back or ahead."""
    with pytest.raises(VersionConflictError, match="the next one is 3"):
        versions.choose_version(a_request(version, signer), SECOND)
