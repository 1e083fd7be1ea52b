"""Whether a fact can be processed: a published plan has its duty, and it lies in the partition of its agency."""

from schemas.events.ids import partition_of
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from services.rules.core.facts import Exemption, Fact, Reassignment, Revocation
from services.rules.duty_catalogues import DutyCatalogues


class Rejection(Exception):  # noqa: N818 - it reads as a claim about the record
    """The record cannot be processed and goes to the dead letters. `kind` is a closed set; the message is for people.

    `is_retryable` says that documents published a moment ago might make the record acceptable.
    """

    def __init__(self, kind: str, reason: str, *, is_retryable: bool = False) -> None:
        super().__init__(reason)
        self.kind = kind
        self.is_retryable = is_retryable


class UnpublishedAdoption(Rejection):
    """An adoption names documents that are not published (yet)."""

    def __init__(self) -> None:
        super().__init__("unknown", "the adopted documents are not published", is_retryable=True)


class FactValidator:
    """Validates the facts of one partition."""

    def __init__(self, partition: int, catalogues: DutyCatalogues) -> None:
        self._partition = partition
        self._catalogues = catalogues

    def validate(self, fact: Fact, adopted: DutyCatalogue | None) -> tuple[Fact, DutyCatalogue | None]:
        """Return *fact* with aliases resolved, and *adopted*, the catalogue in force, if it has the duty.

        Nearly every fact is about a duty of the catalogue in force. A fact about a duty that only a later published
        version has is accepted with None: it is held until that version is adopted in this partition. Raise `Rejection`
        if no version has the duty, or if the fact belongs into another partition.
        """
        if adopted is None:
            return self._resolve_by_latest(fact, f"plan: {fact.plan!r} is not published"), None
        try:
            resolved = _resolve_names(adopted, fact)
        except UnknownDuty as cause:
            return self._resolve_by_latest(fact, str(cause)), None
        self._reject_misrouted(resolved.agency)
        return resolved, adopted

    def _resolve_by_latest(self, fact: Fact, reason: str) -> Fact:
        """Return *fact* as the latest published catalogue resolves it; if there is none, reject it for *reason*."""
        latest = self._catalogues.latest(fact.plan)
        if latest is None:
            raise Rejection("unknown", reason, is_retryable=True)
        try:
            resolved = _resolve_names(latest, fact)
        except UnknownDuty as cause:
            raise Rejection("unknown", str(cause), is_retryable=True) from cause
        self._reject_misrouted(resolved.agency)
        return resolved

    def _reject_misrouted(self, agency: str) -> None:
        """Raise `Rejection` for the agency of another partition: two owners must never both keep one agency."""
        expected = partition_of(agency, self._catalogues.partitions)
        if expected != self._partition:
            remedy = f"key the record by the agency whose duty it is, {agency!r}"
            raise Rejection(
                "misrouted", f"{agency!r} is at home in partition {expected}, not {self._partition}; {remedy}"
            )


def _resolve_names(catalogue: DutyCatalogue, fact: Fact) -> Fact:
    """Return *fact* with aliases resolved; raise `UnknownDuty` unless *catalogue* has a duty for all its periods."""
    resolved = catalogue.resolve_names(fact)
    for period in _periods_of(fact):
        catalogue.duty(agency=resolved.agency, obligation=resolved.obligation, period=period)
    return resolved


def _periods_of(fact: Fact) -> tuple[str | None, ...]:
    """Return the periods that *fact* names; an exemption and its revocation name none."""
    if isinstance(fact, Reassignment):
        return fact.from_period, fact.to_period
    return () if isinstance(fact, Exemption | Revocation) else (fact.period,)
