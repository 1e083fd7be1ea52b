"""What anybody may learn of a sealed report who has its check code: version, signer, times and digests.

Neither an agency nor a figure is named, so the page needs no reader's key: whoever holds the paper can compare it.
"""

from schemas.events.reports import ReportSealed

OPEN_MEMBERS = frozenset(
    {
        "plan",
        "period",
        "version",
        "signer",
        "sealed_at",
        "at",
        "known_at",
        "check_code",
        "figures_sha256",
        "documents",
    }
)


def render_verification(sealed: ReportSealed) -> dict[str, object]:
    """Return what is open to everybody, as JSON values."""
    rendered: dict[str, object] = sealed.model_dump(mode="json", include=set(OPEN_MEMBERS))
    return rendered
