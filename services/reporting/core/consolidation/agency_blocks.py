"""Consolidate the results of a plan for a period by blocks of agencies: what has not changed is not tallied anew.

On the night of a deadline verdicts arrive twenty times a second, each about one agency of ten thousand. Its block is
tallied anew, and the tallies of all are combined. A block is recognized by the states of its duties, not by what is
said to have changed, so whatever happened to the database meanwhile, the answer is that of tallying all.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting.core import results_question
from services.reporting.core.consolidation import tallies
from services.reporting.core.consolidation.tallies import ObligationTally
from services.reporting.core.content import figure_review
from services.reporting.core.content.figure_review import ReviewedFigure
from services.reporting.core.reported_duties import StandingSubmission
from services.reporting.core.results import ObligationResults
from services.reporting.core.results_question import AssessedDuty, AssessedPlan
from services.reporting.core.timeline import DutyState, EventIdentity

# A block is tallied in a few milliseconds. Fewer agencies would make more blocks, whose tallies are combined each time.
BLOCK_AGENCIES = 80

_Place = tuple[str, str]  # an obligation and a period


class AgencyPartition(dict[str, int]):
    """The block of each agency by its id. Figures that are compared with each other are in one block.

    Those of a merged agency count under its heir, so all parties to a succession share a block. What an agency compiles
    from those below it is compared over levels, so a plan with such an obligation has one block.
    """

    def __init__(self, plan: Plan, registry: Registry) -> None:
        super().__init__()
        self._has_levels = any(one.compiles is not None for one in plan.obligations)
        self._links = _link_parties(registry)
        # In the order of their ids, so that what is in that order stays so when blocks are put together.
        self._starts = sorted(one.id for one in registry.agencies)[::BLOCK_AGENCIES]

    def __missing__(self, agency: str) -> int:
        named = _follow(self._links, agency)
        self[agency] = number = 0 if self._has_levels else bisect_right(self._starts, named)
        return number

    def split(self, states: Iterable[DutyState]) -> Mapping[int, tuple[DutyState, ...]]:
        """Return *states* by the block of their agency."""
        blocks: defaultdict[int, list[DutyState]] = defaultdict(list)
        for state in states:
            blocks[self[state.assessment.key.agency]].append(state)
        return {number: tuple(several) for number, several in sorted(blocks.items())}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyBlock:
    """Some agencies: the states of their duties, their tallies by obligation, and what looks like a slip in them.

    `places` are the obligations and periods that bind any of them; the tallies are of all that bind anybody.
    """

    states: tuple[DutyState, ...]
    places: frozenset[_Place]
    all_places: frozenset[_Place]
    tallies: tuple[ObligationTally, ...]
    findings: tuple[tuple[ReviewedFigure, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidatedBlocks:
    """All agencies that a plan binds in a period, in blocks."""

    plan: Plan
    registry: Registry
    period: str
    partition: AgencyPartition
    blocks: Mapping[int, AgencyBlock]

    def combine(self) -> tuple[tuple[ObligationResults, ...], tuple[ReviewedFigure, ...]]:
        """Return the results of each obligation in the order of the plan, and the findings in the same order."""
        blocks = list(self.blocks.values())
        obligations = zip(*(block.tallies for block in blocks), strict=True)
        found = zip(*(block.findings for block in blocks), strict=True)
        findings = (sorted((one for part in parts for one in part), key=_agency_of) for parts in found)
        return tuple(map(tallies.combine_tallies, obligations)), tuple(one for several in findings for one in several)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBlocks:
    """The states of all agencies in blocks, and those blocks that were tallied before.

    `places` are the obligations and periods that bind anybody.
    """

    plan: Plan
    registry: Registry
    period: str
    partition: AgencyPartition
    places: frozenset[_Place]
    states: Mapping[int, tuple[DutyState, ...]]
    tallied: Mapping[int, AgencyBlock]

    def count_untallied(self) -> int:
        """Return how many states stand in blocks that were not tallied before."""
        return sum(len(several) for number, several in self.states.items() if number not in self.tallied)

    def list_standing(self) -> list[EventIdentity]:
        """Return the submissions whose contents the other blocks need."""
        states = (state for number, several in self.states.items() if number not in self.tallied for state in several)
        return sorted(
            {state.span.standing for state in states if is_binding(state) and state.span.standing is not None}
        )

    def tally(self, contents: Mapping[EventIdentity, StandingSubmission]) -> ConsolidatedBlocks:
        """Return all blocks; those that were not tallied before are, with *contents*."""
        blocks = {
            number: self.tallied.get(number) or self._tally_block(states, contents)
            for number, states in self.states.items()
        }
        return ConsolidatedBlocks(
            plan=self.plan,
            registry=self.registry,
            period=self.period,
            partition=self.partition,
            blocks=blocks,
        )

    def _tally_block(
        self, states: tuple[DutyState, ...], contents: Mapping[EventIdentity, StandingSubmission]
    ) -> AgencyBlock:
        nobody: dict[_Place, Sequence[AssessedDuty]] = dict.fromkeys(self.places, ())
        duties = {**nobody, **group_duties(states)}
        assessed = AssessedPlan(plan=self.plan, registry=self.registry, duties=duties, contents=contents)
        questions = results_question.build_questions(assessed, self.period)
        return AgencyBlock(
            states=states,
            places=_list_places(states),
            all_places=self.places,
            tallies=tuple(map(tallies.tally_duties, questions)),
            findings=tuple(figure_review.review_figures([question]) for question in questions),
        )


def plan_blocks(
    states: Sequence[DutyState], plan: Plan, registry: Registry, period: str, *, earlier: Iterable[ConsolidatedBlocks]
) -> PlannedBlocks:
    """Return *states* in blocks; those that are the same in one of *earlier*, by the same documents, need no tally."""
    serving = [one for one in earlier if one.plan is plan and one.registry is registry and one.period == period]
    partition = serving[0].partition if serving else AgencyPartition(plan, registry)
    blocks = partition.split(states)
    tallied = {}
    for number, several in blocks.items():
        known = (one.blocks.get(number) for one in serving)
        same = next((one for one in known if one is not None and one.states == several), None)
        if same is not None:
            tallied[number] = same
    named = (
        tallied[number].places if number in tallied else _list_places(several) for number, several in blocks.items()
    )
    places = frozenset().union(*named)
    # Which obligations are asked about is decided over all agencies.
    tallied = {number: one for number, one in tallied.items() if one.all_places == places}
    return PlannedBlocks(
        plan=plan,
        registry=registry,
        period=period,
        partition=partition,
        places=places,
        states=blocks,
        tallied=tallied,
    )


def group_duties(states: Iterable[DutyState]) -> Mapping[_Place, Sequence[AssessedDuty]]:
    """Return those of *states* that bind an agency, by obligation and period."""
    duties: defaultdict[_Place, list[AssessedDuty]] = defaultdict(list)
    for state in states:
        key, span = state.key, state.span
        if key.period is not None and is_binding(state):
            duty = AssessedDuty(
                agency=key.agency, status=span.status, flags=span.flags, missing=span.missing, standing=span.standing
            )
            duties[key.obligation, key.period].append(duty)
    return dict(duties)


def is_binding(state: DutyState) -> bool:
    """Whether a duty of a period binds its agency."""
    return state.key.period is not None and state.assessment.opens_at is not None


def _link_parties(registry: Registry) -> Mapping[str, str]:
    """Return for parties to successions another one with which they are connected; one of all has none."""
    links: dict[str, str] = {}
    for one in registry.successions:
        ends = {_follow(links, party) for party in (*one.from_, *one.to)}
        last = min(ends)
        links.update({end: last for end in ends if end != last})
    return links


def _follow(links: Mapping[str, str], agency: str) -> str:
    while agency in links:
        agency = links[agency]
    return agency


def _list_places(states: Iterable[DutyState]) -> frozenset[_Place]:
    return frozenset((one.key.obligation, one.key.period) for one in states if one.key.period and is_binding(one))


def _agency_of(finding: ReviewedFigure) -> str:
    return finding.agency
