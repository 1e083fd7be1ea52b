"""What the agencies wrote, verbatim and with its source; how much of it stands in the report and how much is counted.

Nothing is cut in the middle: a text stands whole, or is counted here and stands whole in the workbook.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.reporting.core import labels
from services.reporting.core.report import words
from services.reporting.core.report.blocks import Block, Heading, Paragraph
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.results import AgencyText

PROPOSALS = "proposals"
# Two printed pages: about 42 lines of 85 characters each. A quotation takes a line more than its letters do.
CHARACTERS_MAX = 6_000
REPORTS_WITH_FULL_ROOM = 3  # so many reports have two pages each; more of them share this room
CHARACTERS_OF_A_LINE = 85
WHERE_ALL_STAND = "trang tính “Thuyết minh” của tệp số liệu kèm theo Báo cáo"
LETTERS = "abcdđeghiklmnopqrstuvxy"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedText:
    """A text and the agencies that wrote exactly it, with the number of each one's document."""

    text: str
    sources: tuple[str, ...]


def find_room(outline: Outline) -> int:
    """Return how many characters the texts of one report may take: two pages, less where many reports are told of."""
    return min(CHARACTERS_MAX, CHARACTERS_MAX * REPORTS_WITH_FULL_ROOM // max(1, len(outline.chapters)))


def quote_sections(chapter: ObligationChapter, outline: Outline) -> list[Block]:
    """Return the quotations of every section but the proposals; empty where no section is asked for."""
    results = chapter.newest_results
    sections = {} if results is None else {name: texts for name, texts in results.sections.items() if name != PROPOSALS}
    if not sections:
        return []
    wrote = {text.agency for texts in sections.values() for text in texts}
    if not wrote:
        return [Paragraph(text="Các báo cáo đã nhận không có phần thuyết minh.")]
    said = f"{words.count(len(wrote))} đơn vị có phần thuyết minh, trích nguyên văn:"
    blocks: list[Block] = [Paragraph(text=said, leads_on=True)]
    quoted = {section: merge_equal(texts, chapter, outline) for section, texts in sections.items() if texts}
    rooms = share_room([sum(map(_measure, of_section)) for of_section in quoted.values()], find_room(outline))
    for letter, (section, of_section), room in zip(LETTERS, quoted.items(), rooms, strict=False):
        shown, _ = choose_fitting(of_section, room)
        blocks += [Heading(level=3, text=f"{letter}) {name_section(section, chapter)}")] if len(sections) > 1 else []
        blocks += [_print(one) for one in shown]
        blocks += count_left_out(len(of_section) - len(shown), is_all=not shown)
    return blocks


def share_room(needs: Sequence[int], room: int) -> list[int]:
    """Return how much of *room* each of several gets: all the same, and what one does not need goes to the others."""
    rooms = [0] * len(needs)
    smallest_first = sorted(range(len(needs)), key=lambda index: needs[index])
    for position, index in enumerate(smallest_first):
        rooms[index] = min(needs[index], room // (len(needs) - position))
        room -= rooms[index]
    return rooms


def name_section(section: str, chapter: ObligationChapter) -> str:
    """Return the title of a section in the newest version of the obligation that gives it one."""
    versions = [(*one.requires.sections, *one.accepts.sections) for one in reversed(chapter.obligation.versions)]
    titles = (one.title.vi for sections in versions for one in sections if one.id == section and one.title)
    known = labels.SECTION_TITLES.get(section)
    return next(titles, section if known is None else known.vi)


def merge_equal(texts: Sequence[AgencyText], chapter: ObligationChapter, outline: Outline) -> list[QuotedText]:
    """Return every text once, in the order of the agencies in the report, with all who wrote it."""
    order = {agency: number for number, agency in enumerate(outline.names)}
    by_text: dict[str, list[AgencyText]] = {}
    for text in sorted(texts, key=lambda one: (order.get(one.agency, len(order)), one.agency)):
        by_text.setdefault(" ".join(text.text.split()), []).append(text)
    return [
        QuotedText(text=text, sources=tuple(name_source(one.agency, chapter, outline) for one in same))
        for text, same in by_text.items()
    ]


def name_source(agency: str, chapter: ObligationChapter, outline: Outline) -> str:
    """Return the agency that wrote, and the number of its document: `Sở Y tế, Báo cáo số 365/BC-SYT`."""
    name = outline.names.get(agency, agency)
    lines = (line for one in chapter.periods if one.period == chapter.newest_period for line in one.lines)
    key = next((line.key for line in lines if line.key.agency == agency), None)
    document = None if key is None else outline.inputs.documents.get(key)
    return f"{name}, Báo cáo số {document.number}" if document is not None and document.number else name


def choose_fitting(quoted: Sequence[QuotedText], room: int) -> tuple[list[QuotedText], int]:
    """Return the texts that fit, in order, and the room that is left; one that does not fit leaves room for others."""
    shown: list[QuotedText] = []
    for one in quoted:
        size = _measure(one)
        if size <= room:
            shown.append(one)
            room -= size
    return shown, room


def _measure(quoted: QuotedText) -> int:
    """Return how many characters of the room a quotation takes, its sources and what its last line leaves included."""
    return len(quoted.text) + sum(map(len, quoted.sources[: words.NAMES_IN_A_SENTENCE])) + CHARACTERS_OF_A_LINE


def count_left_out(number: int, *, is_all: bool = False) -> Iterable[Paragraph]:
    """Yield the sentence that counts the texts that do not stand here, and says where they do."""
    if number:
        other = "" if is_all else " khác"
        yield Paragraph(text=f"{words.count(number)} nội dung{other} có toàn văn tại {WHERE_ALL_STAND}.")


def _print(quoted: QuotedText) -> Paragraph:
    source = words.join_names(quoted.sources, where=WHERE_ALL_STAND)
    return Paragraph(text=f"“{quoted.text}”", source=f"({source})", is_item=True)


def print_quotations(quoted: Iterable[QuotedText]) -> list[Block]:
    """Return the texts as quotations with their sources."""
    return [_print(one) for one in quoted]
