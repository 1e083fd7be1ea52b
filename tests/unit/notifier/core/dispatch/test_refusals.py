"""Who is refused decides whether a failure is permanent."""

import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.core.dispatch import refusals
from services.notifier.core.dispatch.refusals import Phase, RefusalFault

PERMANENT, TEMPORARY, TECHNICAL = (
    AttemptOutcome.PERMANENT_FAILURE,
    AttemptOutcome.TEMPORARY_FAILURE,
    AttemptOutcome.TECHNICAL_FAILURE,
)


@pytest.mark.parametrize(
    ("phase", "code", "enhanced", "fault", "outcome"),
    [
        (Phase.CONNECT, 554, None, RefusalFault.THEIRS, TECHNICAL),
        (Phase.CONNECT, 421, "4.7.0", RefusalFault.BUSY, TEMPORARY),
        (Phase.EHLO, 550, None, RefusalFault.THEIRS, TECHNICAL),
        (Phase.EHLO, 502, "5.5.1", RefusalFault.THEIRS, TECHNICAL),
        (Phase.STARTTLS, 501, None, RefusalFault.THEIRS, TECHNICAL),
        (Phase.STARTTLS, 454, "4.7.0", RefusalFault.BUSY, TEMPORARY),
        (Phase.AUTH, 535, "5.7.8", RefusalFault.OURS, TECHNICAL),
        (Phase.AUTH, 454, "4.7.0", RefusalFault.BUSY, TEMPORARY),
        (Phase.MAIL, 550, "5.7.1", RefusalFault.OURS, TECHNICAL),
        (Phase.MAIL, 553, "5.1.8", RefusalFault.OURS, TECHNICAL),
        (Phase.MAIL, 552, "5.3.4", RefusalFault.OURS, TECHNICAL),
        (Phase.MAIL, 450, "4.7.1", RefusalFault.BUSY, TEMPORARY),
        (Phase.MAIL, 452, "4.3.1", RefusalFault.THEIRS, TECHNICAL),
        (Phase.RCPT, 550, None, RefusalFault.ADDRESS, PERMANENT),
        (Phase.RCPT, 553, None, RefusalFault.ADDRESS, PERMANENT),
        (Phase.RCPT, 554, None, RefusalFault.ADDRESS, PERMANENT),
        (Phase.RCPT, 550, "5.1.1", RefusalFault.ADDRESS, PERMANENT),
        (Phase.RCPT, 550, "5.2.1", RefusalFault.ADDRESS, PERMANENT),
        (Phase.RCPT, 552, "5.2.2", RefusalFault.ADDRESS, PERMANENT),
        (Phase.RCPT, 550, "5.4.4", RefusalFault.ADDRESS, PERMANENT),
        (Phase.RCPT, 553, "5.1.8", RefusalFault.OURS, TECHNICAL),
        (Phase.RCPT, 554, "5.7.1", RefusalFault.OURS, TECHNICAL),
        (Phase.RCPT, 530, None, RefusalFault.OURS, TECHNICAL),
        (Phase.RCPT, 503, "5.5.1", RefusalFault.OURS, TECHNICAL),
        (Phase.RCPT, 550, "5.3.0", RefusalFault.THEIRS, TECHNICAL),
        (Phase.RCPT, 452, "4.2.2", RefusalFault.ADDRESS, TEMPORARY),
        (Phase.RCPT, 450, "4.2.0", RefusalFault.ADDRESS, TEMPORARY),
        (Phase.RCPT, 450, "4.7.1", RefusalFault.BUSY, TEMPORARY),
        (Phase.RCPT, 451, "4.3.0", RefusalFault.BUSY, TEMPORARY),
        (Phase.RCPT, 450, None, RefusalFault.BUSY, TEMPORARY),
        (Phase.RCPT, 452, None, RefusalFault.ADDRESS, TEMPORARY),
        (Phase.RCPT, 452, "4.3.1", RefusalFault.THEIRS, TECHNICAL),
        (Phase.DATA, 451, None, RefusalFault.BUSY, TEMPORARY),
        (Phase.DATA, 554, None, RefusalFault.CONTENT, PERMANENT),
        (Phase.MESSAGE, 552, "5.3.4", RefusalFault.CONTENT, PERMANENT),
        (Phase.MESSAGE, 554, "5.7.1", RefusalFault.CONTENT, PERMANENT),
        (Phase.MESSAGE, 550, "5.1.1", RefusalFault.ADDRESS, PERMANENT),
        (Phase.MESSAGE, 554, None, RefusalFault.CONTENT, PERMANENT),
        (Phase.MESSAGE, 554, "5.3.0", RefusalFault.THEIRS, TECHNICAL),
        (Phase.MESSAGE, 454, "4.7.0", RefusalFault.BUSY, TEMPORARY),
        (Phase.MESSAGE, 421, None, RefusalFault.BUSY, TEMPORARY),
    ],
)
def test_a_reply_means_what_its_phase_says(
    phase: Phase, code: int, enhanced: str | None, fault: RefusalFault, outcome: AttemptOutcome
) -> None:
    """Before RCPT nothing is the recipient's fault; from RCPT on the enhanced code tells more than the reply code."""
    refusal = refusals.read_smtp_reply(phase, code, enhanced)
    assert (refusal.fault, refusal.outcome) == (fault, outcome)


@pytest.mark.parametrize(
    ("phase", "code", "enhanced", "is_hard"),
    [
        (Phase.RCPT, 550, "5.1.1", True),
        (Phase.MESSAGE, 550, "5.1.1", True),
        (Phase.RCPT, 550, "5.2.1", True),
        (Phase.RCPT, 550, "5.4.4", True),
        (Phase.RCPT, 550, None, True),
        (Phase.RCPT, 553, None, True),
        (Phase.RCPT, 550, "5.0.0", True),
        (Phase.RCPT, 552, "5.2.2", False),
        (Phase.RCPT, 552, None, False),
        (Phase.RCPT, 554, None, False),
        (Phase.RCPT, 550, "5.7.1", False),
        (Phase.RCPT, 553, "5.1.8", False),
        (Phase.RCPT, 450, "4.1.1", False),
        (Phase.MESSAGE, 550, None, False),
        (Phase.MAIL, 550, "5.1.1", False),
    ],
)
def test_only_an_address_that_nobody_has_is_suspended(
    phase: Phase, code: int, enhanced: str | None, *, is_hard: bool
) -> None:
    """A full mailbox, a policy, our own sender and what passes by itself leave the address as it is."""
    assert refusals.read_smtp_reply(phase, code, enhanced).is_hard is is_hard


@pytest.mark.parametrize("phase", [one for one in Phase if one < Phase.RCPT])
def test_nothing_before_rcpt_gives_a_recipient_up(phase: Phase) -> None:
    """Whatever a server answers before it has heard of a recipient spends no attempt, and concerns the route."""
    for code in range(400, 600):
        refusal = refusals.read_smtp_reply(phase, code, "5.1.1" if code >= 500 else "4.2.2")
        assert refusal.outcome is not PERMANENT
        assert (refusal.spends_attempt, refusal.concerns_route) == (False, True)


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.MESSAGE])
def test_a_bare_5yz_about_a_mail_is_permanent(phase: Phase) -> None:
    """Without an enhanced code the contract decides: a 5yz to RCPT, or after the mail, is permanent."""
    found = {refusals.read_smtp_reply(phase, code).outcome for code in range(550, 560)}
    assert found == {PERMANENT}


@pytest.mark.parametrize(
    ("status", "fault", "outcome"),
    [
        (0x58, RefusalFault.BUSY, TEMPORARY),
        (0x14, RefusalFault.BUSY, TEMPORARY),
        (0x0B, RefusalFault.ADDRESS, PERMANENT),
        (0x01, RefusalFault.CONTENT, PERMANENT),
        (0x0A, RefusalFault.OURS, TECHNICAL),
        (0x0E, RefusalFault.OURS, TECHNICAL),
        (0x45, RefusalFault.THEIRS, TECHNICAL),
        (0x08, RefusalFault.THEIRS, TECHNICAL),
        (0x4FF, RefusalFault.THEIRS, TECHNICAL),
    ],
)
def test_a_status_of_a_centre_means_whose_fault_it_is(
    status: int, fault: RefusalFault, outcome: AttemptOutcome
) -> None:
    """A throttling centre is busy, a bad number is the address's fault, a bad sender name is ours."""
    refusal = refusals.read_smpp_status(status)
    assert (refusal.fault, refusal.outcome) == (fault, outcome)
