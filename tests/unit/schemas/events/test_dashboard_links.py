"""Links of mails to the dashboard: for one agency, for 90 days at most."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from schemas.events.dashboard_links import AgencyLink, DashboardKey, dashboard_url
from schemas.events.form_links import DutyLink, LinkKey
from schemas.events.ids import DutyKey
from schemas.events.signed_tokens import BadLink, TokenKey

SECRET = "a secret of the dashboard that is long enough"
KEY = DashboardKey(SECRET)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
LINK = AgencyLink(agency="h-mot", issued_at=NOW, expires_at=NOW + timedelta(days=90))


def test_a_link_names_its_agency_and_its_end() -> None:
    """What was signed comes back, out of the address that a mail carries."""
    address = urlsplit(dashboard_url("https://theodoi.example/", KEY.sign_link(LINK), "en"))
    assert (address.path, parse_qs(address.query)["lang"]) == ("/open", ["en"])
    assert KEY.verify_link(parse_qs(address.query)["t"][0]) == LINK


def test_no_link_is_good_for_longer_than_ninety_days() -> None:
    """None is signed, and one that somebody with the key has signed all the same opens nothing."""
    longer = AgencyLink(agency="h-mot", issued_at=NOW, expires_at=NOW + timedelta(days=90, seconds=1))
    with pytest.raises(ValueError, match="90 days at most"):
        KEY.sign_link(longer)
    issued, expires = int(NOW.timestamp()), int(longer.expires_at.timestamp())
    token = TokenKey(SECRET).sign("dondoc-dashboard+jws", {"agency": "h-mot", "iat": issued, "exp": expires})
    with pytest.raises(BadLink):
        KEY.verify_link(token)


@pytest.mark.parametrize(
    "claims", [{}, {"agency": "h"}, {"agency": "h", "exp": 1}, {"agency": "h", "iat": 0, "exp": 10**18}]
)
def test_what_says_too_little_opens_nothing(claims: dict[str, object]) -> None:
    """A token without agency, issue or expiry, or beyond the calendar, is refused."""
    with pytest.raises(BadLink):
        KEY.verify_link(TokenKey(SECRET).sign("dondoc-dashboard+jws", claims))


def test_a_link_to_the_form_opens_no_dashboard() -> None:
    """A token of another kind is refused even where both services were given the same key."""
    duty = DutyKey(plan="P-1", agency="h-mot", obligation="results", period=None)
    token = LinkKey(SECRET).sign_link(DutyLink(duty=duty, issued_at=NOW, expires_at=LINK.expires_at))
    with pytest.raises(BadLink):
        KEY.verify_link(token)
