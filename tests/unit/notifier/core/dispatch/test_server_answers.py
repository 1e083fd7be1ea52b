"""What a server answered is kept as evidence, and never whom it was about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.core.dispatch.server_answers import LONGEST_ANSWER, scrub_answer

MAIL, NUMBER = "van-thu@thoxuan.example", "+84912345678"


@pytest.mark.parametrize(
    ("answer", "address", "kept"),
    [
        ("250 2.0.0 Ok: queued as 4Xy1Kq3zWz", MAIL, "250 2.0.0 Ok: queued as 4Xy1Kq3zWz"),
        ("550 5.1.1 <Van-Thu@thoxuan.example>: Recipient rejected", MAIL, "550 5.1.1 …: Recipient rejected"),
        ("550 no mailbox VAN-THU here", MAIL, "550 no mailbox … here"),
        ("250 for van-thu2, by other@relay.example", MAIL, "250 for van-thu2, by …"),
        ("250 2.0.0\r\nOk", MAIL, "250 2.0.0 Ok"),
        ("84912345678-77 0912345678 +84912345678", NUMBER, "…-77 … …"),
        ("5f3a-000012", NUMBER, "5f3a-000012"),
    ],
)
def test_an_answer_is_kept_without_the_address(answer: str, address: str, kept: str) -> None:
    """The queue id and the reason stay; the address goes, as it was written, in capitals, and without its domain."""
    assert scrub_answer(answer, address) == kept


@given(st.text(), st.text(), st.sampled_from([MAIL, NUMBER]))
def test_no_address_is_left_whatever_stands_around_it(before: str, behind: str, address: str) -> None:
    """One line, of bounded length, without the address."""
    kept = scrub_answer(f"{before} {address} {behind}", address)
    assert address not in kept
    assert "\n" not in kept
    assert len(kept) <= LONGEST_ANSWER
