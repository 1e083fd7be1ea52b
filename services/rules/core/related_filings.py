"""How the submissions of one duty are related: which corrects which, which carry the same document (rulings 4 to 6)."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from services.rules.core.facts import Report, Submission, identity

Identity = tuple[str, str]
Lineages = Mapping[Identity, tuple[Identity, ...]]
"""The corrected submissions behind each one, nearest first."""


class Kin(msgspec.Struct, frozen=True, kw_only=True):
    """The relations of one submission.

    `depth` counts the corrections behind it; those of one `family` are versions or copies of one report; `copies` are
    the others that carry the same document.
    """

    depth: int = 0
    family: int = 0
    copies: frozenset[Identity] = frozenset()


_ALONE = Kin()


def kin(submissions: Sequence[Submission]) -> Mapping[Identity, Kin]:
    """Return the relations of each of *submissions*; what is missing from the answer is held (ruling 5)."""
    if len(submissions) == 1 and submissions[0].corrects is None:
        return {identity(submissions[0]): _ALONE}
    behind = _lineages(submissions)
    same = _copies([one for one in submissions if identity(one) in behind], behind)
    family = _families(behind, same)
    return {name: Kin(depth=len(behind[name]), family=family[name], copies=same[name]) for name in same}


def named(among: Iterable[Submission], event_id: str, source: str) -> Submission | None:
    """Return the submission that *event_id* names: of the same source first, for ids are unique only within one."""
    found = [one for one in among if one.id == event_id]
    return next((one for one in found if one.source == source), found[0] if found else None)


def _lineages(submissions: Sequence[Submission]) -> Lineages:
    """Return the corrections behind each submission, without those whose target is not here or that go in a circle."""
    found: dict[Identity, tuple[Identity, ...]] = {identity(one): () for one in submissions if one.corrects is None}
    waiting = [(one, one.corrects) for one in submissions if one.corrects is not None]
    while waiting:
        held = []
        for one, corrects in waiting:
            target = named(submissions, corrects, one.source)
            if target is not None and identity(target) in found:
                found[identity(one)] = (identity(target), *found[identity(target)])
            else:
                held.append((one, corrects))
        if len(held) == len(waiting):
            break
        waiting = held
    return found


def _copies(standing: Sequence[Submission], behind: Lineages) -> dict[Identity, frozenset[Identity]]:
    """Return for each submission the others that carry its document; a correction is no copy of what it corrects."""
    found: dict[Identity, set[Identity]] = {identity(one): set() for one in standing}
    for index, one in enumerate(standing):
        for other in standing[index + 1 :]:
            if not _is_corrected(identity(one), identity(other), behind) and _is_same_document(
                one.report, other.report
            ):
                found[identity(one)].add(identity(other))
                found[identity(other)].add(identity(one))
    return {name: frozenset(others) for name, others in found.items()}


def _families(behind: Lineages, same: Mapping[Identity, frozenset[Identity]]) -> Mapping[Identity, int]:
    """Return the number of each submission's family: those joined by correction or by being copies."""
    family = {name: index for index, name in enumerate(same)}
    for name in same:
        for relative in (*same[name], *behind[name][:1]):
            keep, gone = sorted((family[name], family[relative]))
            family = {one: keep if number == gone else number for one, number in family.items()}
    return family


def _is_corrected(one: Identity, other: Identity, behind: Lineages) -> bool:
    """Whether one of the two corrects the other, be it over several steps."""
    return one in behind[other] or other in behind[one]


def _is_same_document(one: Report, other: Report) -> bool:
    """Whether number and year, or the files, are the same (ruling 6; a number alone starts anew each January)."""
    number, files = _number(one), _files(one)
    return (number is not None and number == _number(other)) or (bool(files) and files == _files(other))


def _number(report: Report) -> tuple[str, int | None] | None:
    number = "".join(report.number.split()).casefold()
    return (number, report.issued_on.year if report.issued_on else None) if number else None


def _files(report: Report) -> frozenset[str]:
    return frozenset(file.sha256.lower() for file in report.attachments if file.sha256)
