"""Links to the form give access to one duty, and no other token is accepted as one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.form_links import DutyLink, LinkKey, form_url
from schemas.events.ids import DutyKey
from schemas.events.signed_tokens import BadLink, TokenKey

SECRET = "a secret of the form that is long enough"
KEY = LinkKey(SECRET)
OTHER = LinkKey("another secret that is long enough, too")
DUTY = DutyKey(plan="P-1", agency="h-mot", obligation="results", period=None)
LINK = DutyLink(duty=DUTY, issued_at=datetime(2026, 12, 1, tzinfo=UTC), expires_at=datetime(2027, 3, 1, tzinfo=UTC))


def test_a_link_opens_what_it_was_made_for() -> None:
    """A token holds the duty and the expiry of its link; the expiry is an exclusive instant."""
    found = KEY.verify_link(KEY.sign_link(LINK))
    assert found == LINK
    assert found.has_expired(LINK.expires_at)
    assert not found.has_expired(LINK.expires_at - timedelta(microseconds=1))


def test_a_link_may_name_the_returned_report_that_is_to_be_corrected() -> None:
    """The link in the mail of a return holds the event id of the report; other links hold none."""
    asked = replace(LINK, corrects="VB-2024-118203")
    assert KEY.verify_link(KEY.sign_link(asked)) == asked
    assert KEY.verify_link(KEY.sign_link(LINK)).corrects is None


def test_a_link_may_name_the_successor_that_files_for_an_office() -> None:
    """The link in the letter to a successor says in whose name it files."""
    inherited = replace(LINK, filed_by="h-hai")
    assert KEY.verify_link(KEY.sign_link(inherited)) == inherited
    assert KEY.verify_link(KEY.sign_link(LINK)).filed_by is None


@pytest.mark.parametrize("token", ["", "a.b.c", "é", "x" * 5000, OTHER.sign_link(LINK), KEY.sign_link(LINK)[:-1]])
def test_what_was_not_made_with_the_key_opens_nothing(token: str) -> None:
    """A token that another key signed, a truncated one and an overlong one are refused alike."""
    with pytest.raises(BadLink):
        KEY.verify_link(token)


@given(st.integers(min_value=0), st.characters(codec="ascii", categories=("L", "N")))
def test_no_changed_letter_passes(place: int, letter: str) -> None:
    """A token with any letter changed gives access to nothing else."""
    token = KEY.sign_link(LINK)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    try:
        assert KEY.verify_link(changed) == LINK
    except BadLink:
        assert changed != token


def test_a_link_that_does_not_say_when_it_was_issued_is_of_the_beginning() -> None:
    """A link of a version without the time of issue opens its duty, and any revocation covers it."""
    token = TokenKey(SECRET).sign("dondoc-form+jws", {"duty": str(DUTY), "exp": int(LINK.expires_at.timestamp())})
    found = KEY.verify_link(token)
    assert (found.duty, found.expires_at) == (LINK.duty, LINK.expires_at)
    assert found.issued_at == datetime(1970, 1, 1, tzinfo=UTC)


def test_an_unsigned_token_is_none() -> None:
    """The verifier chooses the algorithm: a token that declares `none` is refused."""
    header, payload, _ = KEY.sign_link(LINK).split(".")
    assert header
    with pytest.raises(BadLink):
        KEY.verify_link(f"eyJhbGciOiJub25lIn0.{payload}.")


def test_a_file_is_good_for_its_duty_alone() -> None:
    """The token of a file is accepted neither for another duty nor as a link."""
    token = KEY.sign_file(DUTY, {"name": "a.pdf", "size": 3})
    assert KEY.verify_file(DUTY, token) == {"name": "a.pdf", "size": 3}
    other = DutyKey(plan="P-1", agency="h-hai", obligation="results", period=None)
    with pytest.raises(BadLink):
        KEY.verify_file(other, token)
    with pytest.raises(BadLink):
        KEY.verify_link(token)
    with pytest.raises(BadLink):
        KEY.verify_file(DUTY, KEY.sign_link(LINK))


def test_a_document_is_named_for_its_receipt_alone() -> None:
    """The token of a document is accepted neither for another receipt nor as a file or a link."""
    token = KEY.sign_document("receipt", {"number": "12/BC-UBND"})
    assert KEY.verify_document("receipt", token) == {"number": "12/BC-UBND"}
    with pytest.raises(BadLink):
        KEY.verify_document("another", token)
    with pytest.raises(BadLink):
        KEY.verify_file(DUTY, token)
    with pytest.raises(BadLink):
        KEY.verify_document("receipt", KEY.sign_file(DUTY, {"name": "a.pdf"}))


def test_a_short_secret_is_refused() -> None:
    """A key that could be guessed is not accepted."""
    with pytest.raises(ValueError, match="32"):
        LinkKey("short")


def test_the_address_says_its_language_only_where_it_is_english() -> None:
    """The form is Vietnamese by default, so only English needs a parameter."""
    assert form_url("https://a.example/", "T", "vi") == "https://a.example/form?t=T"
    assert form_url("https://a.example", "T", "en") == "https://a.example/form?t=T&lang=en"
