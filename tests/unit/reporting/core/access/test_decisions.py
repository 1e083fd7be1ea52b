"""What a route asks for, and whom it therefore refuses."""

import pytest

from services.reporting.core.access import decisions, readers
from services.reporting.core.access.decisions import Access, RefusalReason
from services.reporting.core.access.readers import PUBLIC, Reader

OUTSIDE, NO_KEY, NOT_PERMITTED = RefusalReason.OUTSIDE_SCOPE, RefusalReason.NO_KEY, RefusalReason.NOT_PERMITTED


def a_reader(*scopes: str, may_review: bool = False, may_seal: bool = False) -> Reader:
    """Build a reader."""
    scope = readers.parse_scope(scopes)
    return Reader(id="r", name="r", scope=scope, may_review=may_review, may_seal=may_seal)


ALL, GROUP, AGENCY, SEALED = a_reader("all"), a_reader("group:g"), a_reader("agency:a"), a_reader("sealed")
OFFICER = a_reader("all", may_review=True, may_seal=True)
GROUP_OFFICER = a_reader("group:g", may_review=True, may_seal=True)

# What each of PUBLIC, SEALED, AGENCY, GROUP, ALL, GROUP_OFFICER and OFFICER is told.
TABLE = {
    Access.OPEN: (None, None, None, None, None, None, None),
    Access.COUNTS: (NO_KEY, OUTSIDE, None, None, None, None, None),
    Access.COVERED: (NO_KEY, OUTSIDE, None, None, None, None, None),
    Access.WHOLE: (NO_KEY, OUTSIDE, OUTSIDE, OUTSIDE, None, OUTSIDE, None),
    Access.SEALED: (NO_KEY, None, OUTSIDE, OUTSIDE, None, OUTSIDE, None),
    Access.REVIEWS: (NO_KEY, NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED, None, None),
    Access.SEALS: (NO_KEY, NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED, OUTSIDE, None),
    Access.NOBODY: (NO_KEY, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE),
}


@pytest.mark.parametrize("access", list(TABLE))
def test_a_route_refuses_whoever_may_not_use_it(access: Access) -> None:
    """Whoever has shown no key is told so; a scope or a permission that is missing is told to whoever has one."""
    asked = (PUBLIC, SEALED, AGENCY, GROUP, ALL, GROUP_OFFICER, OFFICER)
    told = tuple(decisions.find_refusal(access, reader, are_figures_public=False) for reader in asked)
    assert told == TABLE[access]


def test_public_figures_open_the_counts_alone() -> None:
    """Where figures are public, whoever has no scope may have the counts by status, and nothing else."""
    for reader in (PUBLIC, SEALED):
        open_to_them = {
            access
            for access in TABLE
            if decisions.find_refusal(access, reader, are_figures_public=True) is None
            and decisions.find_refusal(access, reader, are_figures_public=False) is not None
        }
        assert open_to_them == {Access.COUNTS}


def test_a_key_or_a_link_would_help_only_whoever_is_not_known() -> None:
    """A refusal is 403 where it is known who asks, and 401 otherwise."""
    known = {one for one in RefusalReason if not one.is_unauthenticated}
    assert known == {OUTSIDE, NOT_PERMITTED, RefusalReason.FORGED_FORM, RefusalReason.OTHER_MACHINE}
