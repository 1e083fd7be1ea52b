"""Which agency another one became part of, over several mergers where there were several.

Figures of earlier years and the history of lateness count under the heir (contract 8.5). A split has no heir.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from schemas.plan.registry import Succession


def find_heirs(
    agencies: Iterable[str], successions: Iterable[Succession], *, after: date, until: date
) -> Mapping[str, str]:
    """Return the heir of each of *agencies* that was merged after the one day and by the other."""
    direct: dict[str, str] = {}
    for one in sorted(successions, key=lambda succession: succession.on):
        if after < one.on <= until and one.type in {"merge_into", "merge_new"} and len(one.to) == 1:
            direct.update({agency: one.to[0] for agency in one.from_ if agency not in one.to})
    found: dict[str, str] = {}
    for agency in agencies:
        heir, seen = agency, {agency}
        while heir in direct and direct[heir] not in seen:
            heir = direct[heir]
            seen.add(heir)
        if heir != agency:
            found[agency] = heir
    return found


def list_merged(agency: str, successions: Iterable[Succession]) -> list[str]:
    """Return *agency* and every agency that was ever merged into it, or into one of those."""
    merging = [one for one in successions if one.type in {"merge_into", "merge_new"} and len(one.to) == 1]
    found = [agency]
    for heir in found:
        found += [one for act in merging if act.to[0] == heir for one in act.from_ if one not in found]
    return found
