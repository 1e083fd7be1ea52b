"""The report by obligation: the periods of each as columns of one chapter, with their duties and their results."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas.plan import periods
from schemas.plan.indicators import Indicator
from schemas.plan.plan import Obligation
from services.reporting.core import duty_counts, labels
from services.reporting.core.annual_report import AnnualReport, Chapter
from services.reporting.core.duty_counts import DutyCounts
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.report import figures, letterhead
from services.reporting.core.report.figures import ReportFigure
from services.reporting.core.report.inputs import ReportInputs
from services.reporting.core.report.letterhead import Letterhead
from services.reporting.core.results import ObligationResults

# What an office calls itself after its full name, longest first where one begins with another.
KINDS_OF_OFFICES = (
    "Chi nhánh", "Chi cục", "Cục", "Sở", "Ban", "Văn phòng", "Thanh tra tỉnh", "Thanh tra thành phố", "Thanh tra",
    "Trung tâm", "Ủy ban nhân dân", "UBND", "Phòng", "Ngân hàng", "Bộ",
)  # fmt: skip
WORDS_OF_A_SHORT_NAME = 4  # `Văn phòng Chính phủ` is said in full each time
OFFICE_WITHOUT_NAME = "Cơ quan báo cáo"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationChapter:
    """One dated obligation with a chapter for each of its periods, in order of time, and the results of each.

    `title` is what the plan calls the report, in Vietnamese and without the period; what it calls the duty where
    another obligation's report has the same name, as a monthly and a quarterly one have.
    """

    obligation: Obligation
    title: str
    periods: tuple[Chapter, ...]
    results: Mapping[str | None, ObligationResults]

    def title_for(self, period: str) -> str:
        """Return the title with *period* in words, where the plan has it or at the end."""
        return periods.add_period(self.obligation.letter_title.vi, period)

    @property
    def newest(self) -> Chapter:
        """The last period of which anything is due or on file; the first one where there is none."""
        begun = [chapter for chapter in self.periods if chapter.total.pending < chapter.total.expected]
        return begun[-1] if begun else self.periods[0]

    @property
    def newest_results(self) -> ObligationResults | None:
        """The results of the last period for which any agency reported; None where the plan asks for no figures."""
        reported = [chapter for chapter in self.periods if (one := self.results.get(chapter.period)) and one.standing]
        return self.results.get((reported or [self.newest])[-1].period)

    @property
    def newest_period(self) -> str | None:
        """The period of `newest_results`."""
        newest = self.newest_results
        return next((period for period, one in self.results.items() if one is newest), self.newest.period)

    @property
    def lines(self) -> tuple[DutyLine, ...]:
        """The duties of all periods."""
        return tuple(line for chapter in self.periods for line in chapter.lines)

    @property
    def total(self) -> DutyCounts:
        """The counts over all periods."""
        return self.periods[0].total if len(self.periods) == 1 else duty_counts.count_duties(self.lines)

    @property
    def is_periodic(self) -> bool:
        """Whether the report covers several of its periods."""
        return len(self.periods) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What every part of the report is written from."""

    inputs: ReportInputs
    figures: Mapping[str, ReportFigure]
    chapters: tuple[ObligationChapter, ...]
    letterhead: Letterhead
    names: Mapping[str, str]  # of every agency that has a duty in the report, by id
    speaker: str  # the issuer as sentences call it after its name was written in full

    @property
    def report(self) -> AnnualReport:
        """The duties."""
        return self.inputs.report

    @property
    def plan_name(self) -> str:
        """What the plan is called after its citation: `Kế hoạch`, `Thông tư`."""
        return letterhead.name_plan(self.report.plan)

    @property
    def zone(self) -> ZoneInfo:
        """The plan's time zone."""
        return ZoneInfo(self.report.plan.zone)

    def cite_decision(self, line: DutyLine) -> str:
        """Return the decision that exempted or extended a duty as it is cited; empty where none is known."""
        decision = self.inputs.decisions.get(line.key)
        return "" if decision is None else letterhead.cite_decision(decision)

    def name_missing_part(self, name: str, obligation: Obligation) -> str:
        """Return the label of a missing part of a report, with the plan's own title of it."""
        return labels.missing_part_label(name, obligation, self.report.plan, agency_names=self.names)

    def list_indicators(self) -> list[Indicator]:
        """Return every indicator of the report once, in the order of the plan."""
        found: dict[str, Indicator] = {}
        for one in self.inputs.results:
            found |= {result.indicator.code: result.indicator for result in one.results.indicators}
        return list(found.values())

    def figure(self, chapter: ObligationChapter, period: str | None, name: str) -> ReportFigure:
        """Return a figure of an obligation's period; one that the report does not have is without a value."""
        figure_id = f"{figures.chapter_path(chapter.obligation.id, period)}/{name}"
        return self.figures.get(figure_id) or ReportFigure(id=figure_id, value=None)


def build_outline(inputs: ReportInputs) -> Outline:
    """Return the outline of the report; obligations stand in the order in which the duties do."""
    by_obligation: dict[str, list[Chapter]] = {}
    for chapter in inputs.report.chapters:
        by_obligation.setdefault(chapter.obligation.id, []).append(chapter)
    head = letterhead.build_letterhead(inputs)
    titles = _title_chapters([chapters[0].obligation for chapters in by_obligation.values()])
    return Outline(
        inputs=inputs,
        figures=figures.collect_figures(inputs),
        chapters=tuple(
            _build_chapter(titles[obligation], chapters, inputs) for obligation, chapters in by_obligation.items()
        ),
        letterhead=head,
        names={line.key.agency: line.agency_name for chapter in inputs.report.chapters for line in chapter.lines},
        speaker=_name_speaker(head.issuer_name),
    )


def _name_speaker(issuer_name: str) -> str:
    if len(issuer_name.split()) <= WORDS_OF_A_SHORT_NAME:
        return issuer_name or OFFICE_WITHOUT_NAME
    kind = next((one for one in KINDS_OF_OFFICES if issuer_name.casefold().startswith(one.casefold())), None)
    return kind or issuer_name


def _title_chapters(obligations: Sequence[Obligation]) -> Mapping[str, str]:
    """Return by obligation the title of its chapter."""
    short = {one.id: periods.add_period(one.letter_title.vi, None).rstrip(". ") for one in obligations}
    uses = Counter(short.values())
    return {one.id: short[one.id] if uses[short[one.id]] == 1 else one.title.vi.rstrip(". ") for one in obligations}


def _build_chapter(title: str, chapters: list[Chapter], inputs: ReportInputs) -> ObligationChapter:
    obligation = chapters[0].obligation
    of_obligation = [one for one in inputs.results if one.results.obligation == obligation.id]
    return ObligationChapter(
        obligation=obligation,
        title=title,
        periods=tuple(sorted(chapters, key=lambda one: periods.sort_key(one.period))),
        results={one.period: one.results for one in of_obligation},
    )
