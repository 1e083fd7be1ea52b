"""Links of readers and the tokens of their forms: no other token is taken for one."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.events.dashboard_links import AgencyLink, DashboardKey
from schemas.events.signed_tokens import BadLink
from services.reporting.core.access.links import ReaderLink, ReaderLinkKey

SECRET = "a secret of reporting that is long enough"
KEY, OTHER = ReaderLinkKey(SECRET), ReaderLinkKey("another secret that is long enough, too")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
LINK = ReaderLink(reader="r-1", issued_at=NOW, expires_at=NOW + timedelta(days=1))
MAIL = AgencyLink(agency="r-1", issued_at=NOW, expires_at=NOW + timedelta(days=1))


def test_a_link_names_its_reader() -> None:
    """A token holds the reader, and from when until when the link is good."""
    assert KEY.verify_link(KEY.sign_link(LINK)) == LINK


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        OTHER.sign_link(LINK),
        KEY.sign_link(LINK)[:-2],
        KEY.sign_form("s"),
        DashboardKey(SECRET).sign_link(MAIL),
    ],
)
def test_no_other_token_lets_a_reader_in(token: str) -> None:
    """Neither that of another key, nor that of a form, nor the link of a mail, even under the same key."""
    with pytest.raises(BadLink):
        KEY.verify_link(token)


def test_a_form_belongs_to_one_session() -> None:
    """The token of another session, another key or another kind is none of this form's."""
    session = KEY.sign_link(LINK)
    assert KEY.is_form_of(session, KEY.sign_form(session))
    for forged in ("", session, KEY.sign_form("another session"), OTHER.sign_form(session)):
        assert not KEY.is_form_of(session, forged)
