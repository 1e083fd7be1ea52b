"""Scopes of readers: what they cover, and how they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.core.access import readers
from services.reporting.core.access.readers import EVERYTHING, NOTHING, ReaderScope

IDS = st.frozensets(st.sampled_from(["h-01", "h-02", "so-tc"]))
SCOPES = st.builds(ReaderScope, is_everything=st.booleans(), has_sealed=st.booleans(), groups=IDS, agencies=IDS)


@given(SCOPES)
def test_a_scope_is_read_as_it_was_written(scope: ReaderScope) -> None:
    """The texts of a scope are those of the command line and of the file."""
    assert readers.parse_scope(readers.format_scope(scope)) == scope


@pytest.mark.parametrize("text", ["", "ALL", "group:", "agency:", "agency", "sealed:1", "h-01", "all "])
def test_what_is_no_scope_is_refused(text: str) -> None:
    """A misspelt scope is never taken for a wider or a narrower one."""
    with pytest.raises(ValueError, match="is no scope; write all, group:ID, agency:ID or sealed"):
        readers.parse_scope(["all", text])


def test_a_group_covers_its_members_and_an_agency_itself() -> None:
    """Who is no member on the day that decides is not covered by the group."""
    scope = readers.parse_scope(["group:ubnd-huyen", "agency:so-tc"])
    assert scope.covers_agency("h-01", {"ubnd-huyen", "mien-nui"})
    assert scope.covers_agency("so-tc", {"so-ban-nganh"})
    assert not scope.covers_agency("h-01", {"mien-nui"})
    assert not scope.covers_agency("ubnd-huyen", ())
    assert (scope.covers_group("ubnd-huyen"), scope.covers_group("so-ban-nganh")) == (True, False)


@given(st.sampled_from(["h-01", "so-tc"]), IDS)
def test_sealed_reports_are_no_duties(agency: str, groups: frozenset[str]) -> None:
    """A reader of sealed reports alone sees no duty of anybody, and one of nothing sees nothing."""
    sealed = readers.parse_scope(["sealed"])
    assert not sealed.covers_agency(agency, groups)
    assert (sealed.covers_duties, sealed.covers_sealed) == (False, True)
    assert (NOTHING.covers_duties, NOTHING.covers_sealed) == (False, False)
    assert EVERYTHING.covers_agency(agency, groups)
    assert EVERYTHING.covers_sealed


def test_only_the_scope_of_one_agency_is_its_own() -> None:
    """Two agencies, or an agency and a group, are no agency that looks at itself."""
    assert readers.agency_reader("h-01").scope.own_agency == "h-01"
    for scopes in (
        ["agency:h-01", "agency:h-02"],
        ["agency:h-01", "group:ubnd-huyen"],
        ["all", "agency:h-01"],
        ["sealed"],
    ):
        assert readers.parse_scope(scopes).own_agency is None
