"""Rules for successions: unlisted agencies, heirs that do not exist yet, contradictory dates, cycles."""

from collections.abc import Iterator, Mapping
from datetime import date

from schemas.lint import date_intervals, id_checks
from schemas.lint.diagnostics import Finding, Severity
from schemas.lint.document_tree import Node

_ONE_HEIR = frozenset({"merge_into", "merge_new"})


def check_successions(successions: tuple[Node, ...], agencies: tuple[Node, ...]) -> Iterator[Finding]:
    """Yield every problem of *successions* among *agencies*."""
    known = {one["id"].text: one for one in agencies}
    for succession in successions:
        for side in ("from", "to"):
            for one in succession[side].each():
                yield from id_checks.find_unknown(one, known, "agency")
            yield from id_checks.find_duplicates(succession[side].each(), Severity.WARNING)
        yield from _check_heir_count(succession)
        yield from _check_ends(succession, known)
        yield from _check_begins(succession, known)
    yield from _find_cycles(successions)
    yield from _find_ends_without_act(successions, agencies)


def _check_heir_count(succession: Node) -> Iterator[Finding]:
    kind, heirs = succession["type"].text, succession["to"]
    if kind == "abolish" and heirs.each():
        yield heirs.finding("an abolition has no heir; write `to: []`, or another type")
    elif kind in _ONE_HEIR and len(heirs.each()) != 1:
        yield heirs.finding(
            f"a {kind} has one heir; write a split where there are several, abolish where there is none"
        )
    elif kind == "split" and not heirs.each():
        yield heirs.finding("a split has heirs; write abolish where there is none")


def _check_ends(succession: Node, agencies: Mapping[str, Node]) -> Iterator[Finding]:
    """Yield the ended agencies whose validity does not end on the day of the act; one that is also an heir goes on."""
    on, survivors = succession["on"], {one.text for one in succession["to"].each()}
    for ended in succession["from"].each():
        agency = agencies.get(ended.text)
        if agency is None or on.day is None or ended.text in survivors:
            continue
        to = agency["valid"]["to"]
        if to.day and to.day != on.day:
            yield on.finding(f"{on.day} is not the day on which {ended.text!r} ends, {to.day} (its `valid.to`)")
        elif not to.is_given:
            yield on.warning(f"{ended.text!r} ends by this act; say so in its `valid.to`: {on.day}")


def _check_begins(succession: Node, agencies: Mapping[str, Node]) -> Iterator[Finding]:
    on = succession["on"]
    for heir in succession["to"].each():
        agency = agencies.get(heir.text)
        validity = date_intervals.parse_interval(agency["valid"]) if agency else None
        if validity is None or on.day is None:
            continue
        if on.day < validity.from_ or validity.to <= on.day:
            yield on.finding(f"the heir {heir.text!r} does not exist on {on.day}; it {_describe_validity(validity)}")
        elif (
            succession["type"].text == "merge_new"
            and validity.from_ < on.day
            and agency
            and agency["valid"]["from"].is_given
        ):
            yield on.warning(
                f"{heir.text!r} exists since {validity.from_}; a new body begins with the act, else write merge_into"
            )


def _describe_validity(validity: date_intervals.Interval) -> str:
    begin = "from the start" if validity.from_ == date.min else f"from {validity.from_}"
    return f"is valid {begin} and {validity.end_text}"


def _find_cycles(successions: tuple[Node, ...]) -> Iterator[Finding]:
    """Yield each succession that leads back, through earlier ones, to an agency from which it starts."""
    heirs: dict[str, set[str]] = {}
    for succession in successions:
        ended = {one.text for one in succession["from"].each()}
        taking = {one.text for one in succession["to"].each()}
        # An agency may go on as its own heir (a merger into it), but not where the act changes nothing at all.
        if ended and (ended == taking or _reachable_from(taking - ended, heirs) & ended):
            names = ", ".join(sorted(ended))
            yield succession.finding(f"closes a circle: {names} would follow upon itself")
        for one in ended - taking:
            heirs.setdefault(one, set()).update(taking)


def _reachable_from(starts: set[str], heirs: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(heirs.get(one, ()))
    return found


def _find_ends_without_act(successions: tuple[Node, ...], agencies: tuple[Node, ...]) -> Iterator[Finding]:
    acted = {one.text for succession in successions for one in succession["from"].each()}
    for agency in agencies:
        to = agency["valid"]["to"]
        if to.day and agency["id"].text not in acted:
            yield to.warning("ends without a succession; its open duties end with no successor")
