"""Rules for who stands where: lead and co-operating agencies, reports that compile others, plans that supersede others.

What concerns the agencies above others is in `parent_rules` and `parent_gaps`.
"""

from collections.abc import Collection, Iterator, Mapping

from schemas.lint import id_checks
from schemas.lint.diagnostics import Finding, Severity
from schemas.lint.document_tree import Node
from schemas.plan.plan import PARENT


def check_levels(plan: Node) -> Iterator[Finding]:
    """Yield every problem of this kind that can be found without the registry of *plan*."""
    obligations = {one["id"].text: one for one in plan["obligations"].each()}
    for obligation in plan["obligations"].each():
        yield from _check_bearers(obligation)
        yield from _check_compilation(obligation, obligations)
    yield from _check_supersession(plan, obligations)


def check_level_references(plan: Node, known: Collection[str]) -> Iterator[Finding]:
    """Yield every lead, co-operating agency and recipient that is none of the *known* agencies and groups."""
    for obligation in plan["obligations"].each():
        for one in (obligation["lead"], *obligation["with"].each()):
            yield from id_checks.find_unknown(one, known, "group or agency")
        if obligation["recipient"].text != PARENT:
            yield from id_checks.find_unlisted(obligation["recipient"], known)


def check_carried(plan: Node, superseded: Node | None) -> Iterator[Finding]:
    """Yield what is wrong with the obligations of the *superseded* plan that *plan* carries over.

    None is a plan that nobody found.
    """
    carries, name = plan["supersedes"]["carries"], plan["supersedes"]["plan"].text
    if not isinstance(carries.value, dict) or not carries.value:
        return
    if superseded is None:
        yield carries.warning(
            f"nobody has compared this with {name!r}, which no folder beside this one holds; name it too"
        )
        return
    theirs = {one["id"].text: one for one in superseded["obligations"].each()}
    ours = {one["id"].text: one for one in plan["obligations"].each()}
    for old in carries.value:
        if old not in theirs:
            yield carries[old].finding(f"{name!r} has no obligation {old!r}{id_checks.suggest(old, theirs)}")
        elif carries[old].text in ours and _recurrences(theirs[old]).isdisjoint(_recurrences(ours[carries[old].text])):
            yield carries[old].warning(
                f"{old!r} and {carries[old].text!r} are never for the same period; no report will be carried over"
            )


def _recurrences(obligation: Node) -> set[str]:
    return {one["recurrence"].text for one in obligation["versions"].each()}


def _check_bearers(obligation: Node) -> Iterator[Finding]:
    addressees, lead, co_operating = obligation["addressees"], obligation["lead"], obligation["with"].each()
    if lead.is_given and addressees.is_given:
        yield lead.finding("takes the place of `addressees`; write one of the two")
    elif not lead.is_given and not addressees.is_given:
        yield addressees.finding("missing; write `addressees`, or `lead` for the one agency that owes the report")
    yield from id_checks.find_duplicates(co_operating, Severity.WARNING)
    owing = {lead.text, *(one.text for one in addressees.each())}
    yield from (one.finding(f"{one.text!r} owes the report itself") for one in co_operating if one.text in owing)


def _check_compilation(obligation: Node, obligations: Mapping[str, Node]) -> Iterator[Finding]:
    compiled = obligation["compiles"]["obligation"]
    if compiled.text and compiled.text == obligation["id"].text:
        yield compiled.finding("a report does not compile itself; name the obligation of the agencies below")
    else:
        yield from id_checks.find_unknown(compiled, obligations, "obligation")
    versions = obligation["versions"].each()
    if not obligation["compiles"].is_given:
        for version in versions:
            if version["requires"]["parts"].is_given:
                yield version["requires"]["parts"].finding(
                    "this report has no parts; say under `compiles` whose reports it consolidates"
                )
    elif compiled.text in obligations and _recurrences(obligations[compiled.text]).isdisjoint(_recurrences(obligation)):
        yield compiled.warning(f"{compiled.text!r} is never owed for the same period; there will be no parts")


def _check_supersession(plan: Node, obligations: Mapping[str, Node]) -> Iterator[Finding]:
    supersedes = plan["supersedes"]
    if supersedes["plan"].text and supersedes["plan"].text == plan["plan"].text:
        yield supersedes["plan"].finding("a plan does not supersede itself; a new version of it does")
    from_, issued_on = supersedes["from"], plan["issued_on"]
    if from_.day and issued_on.day and from_.day < issued_on.day:
        yield from_.warning(f"lies before the day of issue, {issued_on.day}, from which this plan binds")
    carries = supersedes["carries"]
    for old in carries.value if isinstance(carries.value, dict) else ():
        yield from id_checks.find_unknown(carries[old], obligations, "obligation")
