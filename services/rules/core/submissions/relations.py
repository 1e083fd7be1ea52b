"""How the submissions of one duty are related: which corrects which, and which carry the same document (ruling 6)."""

from collections.abc import Hashable, Iterable, Mapping, Sequence

import msgspec

from schemas.text import comparison
from services.rules.core.facts import FactIdentity, ReportContent, Submission, identity

# What copies of a document have in common, "number" or "files", and the position of the first submission with it.
DocumentKey = tuple[str, int]


class SubmissionRelations(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How one submission is related to the others of its duty.

    Submissions with the same `group` are versions or copies of one report. `documents` are the numbers and sets of
    files that it shares with others (ruling 6): two with one of them in common carry the same document. A group and a
    document are named by the position of the first submission that has them.

    Corrections form trees, in which a submission stands below the one it corrects. `correction_depth` is 0 for a first
    report, 1 for its correction. `first_place` numbers the submissions tree by tree, each before its corrections, and
    `last_place` is the highest number among it and all corrections below it. `corrects` is the position of the
    submission that it corrects.
    """

    group: int
    first_place: int
    last_place: int
    correction_depth: int = 0
    corrects: int | None = None
    documents: tuple[DocumentKey, ...] = ()

    def is_corrected_by(self, other: "SubmissionRelations") -> bool:
        """Whether *other* corrects this submission, directly or over several steps."""
        return self.first_place < other.first_place <= self.last_place


_UNRELATED = SubmissionRelations(group=0, first_place=0, last_place=0)


class SubmissionIndex:
    """Submissions by the id that a correction, a withdrawal, a reassignment or a review names them by."""

    __slots__ = ("_by_id", "_by_identity")

    def __init__(self, submissions: Iterable[Submission]) -> None:
        self._by_identity: dict[FactIdentity, Submission] = {}
        self._by_id: dict[str, Submission] = {}
        for one in submissions:
            self._by_identity[identity(one)] = one
            self._by_id.setdefault(one.id, one)

    def find(self, event_id: str, source: str) -> Submission | None:
        """Return the submission that *event_id* names, one of the same *source* first: ids are unique only within one.

        Of several that other sources sent, the first is returned.
        """
        return self._by_identity.get((source, event_id)) or self._by_id.get(event_id)


def relate_submissions(submissions: Sequence[Submission]) -> Mapping[FactIdentity, SubmissionRelations]:
    """Return the relations of each of *submissions*.

    A correction whose target is not among them stands alone, and so does each of those that name each other in a circle
    (ruling 13).

    The cost is near linear in their number, because no pair of them is compared: those that carry the same document
    meet in a table of numbers and files, and whether one corrects another follows from their places in the trees.
    """
    if len(submissions) == 1:
        return {identity(submissions[0]): _UNRELATED}
    trees = _build_correction_trees(submissions)
    reports = {identity(one): one.report for one in submissions}
    numbers = _find_shared_positions([_document_number(one) for one in reports.values()])
    files = _find_shared_positions([_file_digests(one) for one in reports.values()])
    positions = {name: position for position, name in enumerate(reports)}
    targets = [None if (target := trees[name].target) is None else positions[target] for name in reports]
    groups = _join_groups(numbers, files, targets)
    return {
        name: SubmissionRelations(
            group=groups[position],
            first_place=trees[name].first_place,
            last_place=trees[name].last_place,
            correction_depth=trees[name].depth,
            corrects=targets[position],
            documents=_name_documents(numbers[position], files[position]),
        )
        for name, position in positions.items()
    }


class _TreePlace(msgspec.Struct, kw_only=True, gc=False):
    """Where a submission stands in its tree of corrections; see `SubmissionRelations`."""

    target: FactIdentity | None
    depth: int
    first_place: int
    last_place: int


def _build_correction_trees(submissions: Sequence[Submission]) -> Mapping[FactIdentity, _TreePlace]:
    """Return the place of each submission in its tree of corrections."""
    targets = _find_targets(submissions)
    corrections: dict[FactIdentity, list[FactIdentity]] = {}
    for correction, corrected in targets.items():
        corrections.setdefault(corrected, []).append(correction)
    found: dict[FactIdentity, _TreePlace] = {}
    waiting: list[tuple[FactIdentity, FactIdentity | None]] = [
        (name, None) for one in reversed(submissions) if (name := identity(one)) not in targets
    ]
    # A stack, not recursion: a chain of corrections may be longer than Python's stack is deep.
    while waiting:
        name, target = waiting.pop()
        depth, number = 0 if target is None else found[target].depth + 1, len(found)
        found[name] = _TreePlace(target=target, depth=depth, first_place=number, last_place=number)
        if name in corrections:
            waiting.extend([(one, name) for one in corrections[name]])
    # Corrections stand behind their target, so going backwards each last place is final before it is passed on.
    for place in reversed(found.values()) if corrections else ():
        if place.target is not None:
            target_place = found[place.target]
            target_place.last_place = max(target_place.last_place, place.last_place)
    return found


def _find_targets(submissions: Sequence[Submission]) -> dict[FactIdentity, FactIdentity]:
    """Return what each correction corrects, where that is known and does not lead back to it (ruling 13)."""
    corrections = [(one, one.corrects) for one in submissions if one.corrects is not None]
    if not corrections:
        return {}
    index = SubmissionIndex(submissions)
    targets = {
        identity(one): identity(target)
        for one, corrects in corrections
        if (target := index.find(corrects, one.source)) is not None
    }
    for name in _find_circles(targets):
        del targets[name]
    return targets


def _find_circles(targets: Mapping[FactIdentity, FactIdentity]) -> list[FactIdentity]:
    """Return every submission from which following *targets* leads back to itself."""
    found: list[FactIdentity] = []
    followed: set[FactIdentity] = set()
    for start in targets:
        places: dict[FactIdentity, int] = {}  # of the submissions on this path
        last = start
        while last in targets and last not in followed:
            followed.add(last)
            places[last] = len(places)
            last = targets[last]
        if last in places:
            found += list(places)[places[last] :]
    return found


def _find_shared_positions(keys: Iterable[Hashable | None]) -> list[int | None]:
    """Return for each key the position of the first key equal to it, and None for None and for a key that is alone."""
    first: dict[Hashable, int] = {}
    found = [None if key is None else first.setdefault(key, position) for position, key in enumerate(keys)]
    shared = {one for position, one in enumerate(found) if one != position}
    return [one if one in shared else None for one in found]


def _name_documents(number: int | None, files: int | None) -> tuple[DocumentKey, ...]:
    by_number = () if number is None else (("number", number),)
    return by_number if files is None else (*by_number, ("files", files))


def _join_groups(*relatives: Sequence[int | None]) -> list[int]:
    """Return the lowest position in the group of each position, which is joined with those that it is related to.

    This is union-find with path halving. Each of *relatives* holds one related position, or None, for each position.
    """
    first = list(range(len(relatives[0])))

    def find_first(position: int) -> int:
        while first[position] != position:
            first[position] = first[first[position]]
            position = first[position]
        return position

    for related_positions in relatives:
        for position, related in enumerate(related_positions):
            if related is not None and related != position:
                one, other = find_first(position), find_first(related)
                first[max(one, other)] = min(one, other)
    return [find_first(position) for position in range(len(first))]


def _document_number(report: ReportContent) -> tuple[str, int | None] | None:
    """Return the number and its year of issue; alone it identifies nothing, for each January starts anew with 1."""
    number = comparison.make_number_key(report.number)
    return (number, report.issued_on.year if report.issued_on else None) if number else None


def _file_digests(report: ReportContent) -> frozenset[str] | None:
    return frozenset([file.sha256.lower() for file in report.attachments if file.sha256]) or None
