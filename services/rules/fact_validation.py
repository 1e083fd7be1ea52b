"""Whether a fact is about a duty that the plan in force, or a later published one, knows, and lies where it belongs."""

from schemas.events.ids import DutyKey
from services.rules.core.duty_catalogue import Book, UnknownDuty
from services.rules.core.facts import Exemption, Extension, Fact, Reassignment, Revocation, Submission, Withdrawal
from services.rules.duty_catalogues import Books


class Refused(Exception):  # noqa: N818 - it reads as a claim about the record
    """The record cannot be applied and is to be set aside. `kind` is a closed set; the message is for people.

    `may_be_news` says that documents published a moment ago might make it acceptable.
    """

    def __init__(self, kind: str, reason: str, *, may_be_news: bool = False) -> None:
        super().__init__(reason)
        self.kind = kind
        self.may_be_news = may_be_news


class Judge:
    """Judges the facts of one partition."""

    def __init__(self, partition: int, books: Books) -> None:
        self._partition = partition
        self._books = books

    def judged(self, fact: Fact, in_force: Book | None) -> tuple[Fact, Book | None]:
        """Return *fact* with aliases resolved, and the book *in_force* if that knows it; raise `Refused` if none does.

        Nearly every fact is known to the book in force. A duty that only a later published version knows is held
        until that version is adopted here.
        """
        if in_force is None:
            return self._held(fact, f"plan: {fact.plan!r} is not published"), None
        try:
            resolved = _resolved(in_force, fact)
        except UnknownDuty as cause:
            return self._held(fact, str(cause)), None
        self._refuse_misrouted(resolved.agency)
        return resolved, in_force

    def _held(self, fact: Fact, reason: str) -> Fact:
        """Return *fact* as the latest published book reads it; where there is none, refuse for *reason*."""
        latest = self._books.latest(fact.plan)
        if latest is None:
            raise Refused("unknown", reason, may_be_news=True)
        try:
            resolved = _resolved(latest, fact)
        except UnknownDuty as cause:
            raise Refused("unknown", str(cause), may_be_news=True) from cause
        self._refuse_misrouted(resolved.agency)
        return resolved

    def _refuse_misrouted(self, agency: str) -> None:
        home = self._books.home(agency)
        if home != self._partition:
            remedy = f"key the record by the agency whose duty it is, {agency!r}"
            raise Refused("misrouted", f"{agency!r} is at home in partition {home}, not {self._partition}; {remedy}")


def knows(book: Book, key: DutyKey) -> bool:
    """Whether *book* has the duty, binding or not."""
    try:
        book.duty(agency=key.agency, obligation=key.obligation, period=key.period)
    except UnknownDuty:
        return False
    return True


def _resolved(book: Book, fact: Fact) -> Fact:
    resolved = book.resolved(fact)
    for period in _periods(fact):
        book.duty(agency=resolved.agency, obligation=resolved.obligation, period=period)
    return resolved


def _periods(fact: Fact) -> tuple[str | None, ...]:
    match fact:
        case Submission() | Withdrawal() | Extension():
            return (fact.period,)
        case Reassignment():
            return fact.from_period, fact.to_period
        case Exemption() | Revocation():
            return ()
