"""Reads a log of facts from a file, for several plans at once: which facts bear on a duty, and with which events.

Input that cannot be used raises `UnusableInputError`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.rules import fact_decoder
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from services.rules.core.facts import Decision, Fact, FactIdentity, Submission, identity
from services.rules.fact_decoder import OtherEventError
from services.runtime.decoding import UnreadableRecordError

# Plan, agency, obligation.
DocketName = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsFile:
    """The facts of some plans by docket in the order of the file, and the events of the submissions among them."""

    dockets: Mapping[DocketName, Sequence[Fact]]
    events: Mapping[FactIdentity, Sequence[tuple[Submission, bytes]]] = field(default_factory=dict)

    def list_facts(self, duty: Duty) -> list[Fact]:
        """Return the facts that bear on *duty*, also as reports carried over to it."""
        return list(select_facts(self.dockets, duty))


def select_facts(dockets: Mapping[DocketName, Iterable[Fact]], duty: Duty) -> Iterator[Fact]:
    """Yield the facts of the docket of *duty*, and the reports of other dockets that count for it too."""
    key = duty.key
    yield from dockets.get((key.plan, key.agency, key.obligation), ())
    for origin in duty.carried_from:
        old = dockets.get((origin.key.plan, origin.key.agency, origin.key.obligation), ())
        yield from (one for one in old if not isinstance(one, Decision))


def read_facts_file(path: Path, catalogues: Sequence[DutyCatalogue]) -> FactsFile:
    """Return the facts of *path* that bear on a duty of *catalogues*; the others of their plans are named on stderr."""
    dockets: defaultdict[DocketName, list[Fact]] = defaultdict(list)
    events: defaultdict[FactIdentity, list[tuple[Submission, bytes]]] = defaultdict(list)
    for fact, event in read_facts(path, catalogues):
        dockets[fact.plan, fact.agency, fact.obligation].append(fact)
        if isinstance(fact, Submission):
            events[identity(fact)].append((fact, event))
    return FactsFile(dockets=dockets, events=events)


def read_facts(path: Path, catalogues: Sequence[DutyCatalogue]) -> Iterator[tuple[Fact, bytes]]:
    """Yield the facts of *path* under the plans of *catalogues*, with the event as the file has it.

    Reports under a plan that one of them supersedes are among them. Events of other types and facts of other plans are
    skipped, and one that bears on no duty is named on stderr. Raise `UnusableInputError` at a line that is no event.
    """
    by_plan = {one.plan.plan: one for one in catalogues}
    for place, event, fact in _decode_facts(path):
        catalogue = by_plan.get(fact.plan)
        if catalogue is None:
            yield from ((found, event) for found in _resolve_carried(fact, catalogues))
            continue
        try:
            yield catalogue.resolve_names(fact), event
        except UnknownDuty as cause:
            output.print_message(f"{place}: {cause} (the fact counts for no duty)")


def read_last_recorded(path: Path) -> datetime | None:
    """Return when the last fact of the file was recorded; None if it has none. Raise as `read_facts` does."""
    return max((fact.recorded_at for _, _, fact in _decode_facts(path)), default=None)


def _resolve_carried(fact: Fact, catalogues: Iterable[DutyCatalogue]) -> Iterator[Fact]:
    """Yield *fact*, of a plan that is not among *catalogues*, if one of these carries its reports over."""
    for catalogue in catalogues:
        if (fact.plan, fact.obligation) in catalogue.carries_over:
            with suppress(UnknownDuty):
                yield catalogue.resolve_agencies(fact)
                return


def _decode_facts(path: Path) -> Iterator[tuple[str, bytes, Fact]]:
    """Yield each fact with its place and its event; events of other types are skipped."""
    for number, line in inputs.read_lines(path):
        place, event = f"{path}:{number}", line.encode()
        fact = _decode_fact(event, place)
        if fact is not None:
            yield place, event, fact


def _decode_fact(event: bytes, place: str) -> Fact | None:
    """Return the fact in *event*, or None for an event of another type; raise `UnusableInputError` naming *place*."""
    try:
        return fact_decoder.decode_fact(event)
    except OtherEventError:
        return None
    except UnreadableRecordError as cause:
        raise UnusableInputError(f"{place}: {cause}") from cause
