"""A round takes what is due from the agendas and gathers it for whoever can be reached on that day."""

from datetime import date

from schemas.events.deliveries import Channel
from services.notifier.core.scheduling import due_batch
from services.notifier.core.scheduling.routing import Contact, ContactBook
from tests.unit.notifier.agendas import DUTY, OPENS, a_reminder, an_assessment, an_urging, days, followed
from tests.unit.notifier.words import Shelf

MAIL = Contact(agency=DUTY.agency, channel=Channel.EMAIL, address="a@x.example", from_=date(2026, 12, 2))
AGENDA = followed(an_assessment(a_reminder(7), an_urging(3)), OPENS)


def test_what_is_due_is_taken_with_all_that_its_words_depend_on() -> None:
    """The versions that the assessment cites go with the call."""
    due = due_batch.due(AGENDA, Shelf(), days(-7))
    (telling,) = due.tellings
    assert (telling.duty, telling.plan_version, telling.clause, telling.call.step) == (DUTY, 1, "III.1", "P7D")
    assert [call.step for call in due.agenda.waiting] == ["P3D"]


def test_nothing_due_leaves_the_agenda_as_it_is() -> None:
    """And tells nothing."""
    due = due_batch.due(AGENDA, Shelf(), OPENS)
    assert (due.agenda, due.tellings) == (AGENDA, ())


def test_who_is_reached_is_asked_of_the_local_day() -> None:
    """Half past five in the afternoon of the first in Greenwich is the second in Viet Nam."""
    tellings = due_batch.due(AGENDA, Shelf(), days(-7)).tellings
    book = ContactBook([MAIL])
    assert due_batch.notices(tellings, Shelf(), book, days(-8))[0].contacts == (MAIL,)
    assert due_batch.notices(tellings, Shelf(), book, days(-8.1))[0].contacts == ()
