"""Rules for a plan beyond the types of its values.

They find duplicate ids, unlisted sources and reminders that come too late; with the registry at hand also unknown
agencies and groups. What the dates of versions say is for `timing_rules`.
"""

from collections.abc import Iterator

from schemas.lint import id_checks, indicator_rules, timing_rules
from schemas.lint.diagnostics import Finding, Severity
from schemas.lint.document_tree import Node
from schemas.lint.hierarchy import level_rules
from schemas.plan import values


def check_plan(plan: Node) -> Iterator[Finding]:
    """Yield every problem of *plan* that can be found without its registry."""
    sources, obligations = plan["sources"].each(), plan["obligations"].each()
    yield from id_checks.find_duplicates(one["id"] for one in sources)
    yield from id_checks.find_duplicates(one["id"] for one in obligations)
    yield from id_checks.find_duplicates(one["grade"] for one in plan["grading"].each())
    yield from indicator_rules.check_indicators(plan)
    yield from level_rules.check_levels(plan)
    known_sources = {one["id"].text for one in sources}
    if sources:
        yield from id_checks.find_unknown(plan["task"]["source"], known_sources, "source")
    if not sources:
        yield plan["sources"].warning(
            "no document is listed, so letters cite the plan by its title; list number and date of each cited document"
        )
    for obligation in obligations:
        # The list of sources is optional; without it a citation cannot be checked, and letters cite the plan's title.
        if sources:
            yield from id_checks.find_unknown(obligation["citation"]["source"], known_sources, "source")
        yield from id_checks.find_duplicates(obligation["addressees"].each(), Severity.WARNING)
        yield from _check_versions(obligation["versions"].each(), plan["issued_on"])


def check_references(plan: Node, registry: Node) -> Iterator[Finding]:
    """Yield every agency, group and registry that *plan* names and *registry* does not know."""
    agencies = {one["id"].text for one in registry["agencies"].each()}
    members = {one["id"].text for agency in registry["agencies"].each() for one in agency["groups"].each()}
    groups = {one["id"].text for one in registry["groups"].each()} or members
    yield from _check_registry_id(plan["registry"], registry["registry"])
    yield from id_checks.find_unlisted(plan["issuer"], agencies)
    yield from level_rules.check_level_references(plan, agencies | groups)
    for indicator in plan["indicators"].each():
        for asked in indicator["asked_of"].each():
            yield from id_checks.find_unknown(asked, agencies | groups, "group or agency")
    for obligation in plan["obligations"].each():
        for addressee in obligation["addressees"].each():
            yield from id_checks.find_unknown(addressee, agencies | groups, "group or agency")
            if addressee.text in groups - members:
                yield addressee.warning(f"no agency is ever a member of {addressee.text!r}; nobody owes this")


def _check_versions(versions: tuple[Node, ...], issued_on: Node) -> Iterator[Finding]:
    yield from timing_rules.check_versions(versions)
    for version in versions:
        from_ = version["from"]
        if from_.day and issued_on.day and from_.day < issued_on.day:
            yield from_.warning(f"a plan binds from its day of issue, {issued_on.day}")
        yield from _check_requirements(version["requires"])
        yield from _check_reminders(version["reminders"], version["due"])


def _check_requirements(requires: Node) -> Iterator[Finding]:
    yield from id_checks.find_duplicates(map(_section_id, requires["sections"].each()), Severity.WARNING)
    yield from id_checks.find_duplicates(indicator_rules.code_of(one) for one in requires["indicators"].each())
    yield from id_checks.find_duplicates(one["id"] for one in requires["checks"].each())
    for indicator in requires["indicators"].each():
        yield from indicator_rules.check_range(indicator)


def _section_id(section: Node) -> Node:
    return section["id"] if section["id"].is_given else section


def _check_reminders(reminders: Node, due: Node) -> Iterator[Finding]:
    before, after = reminders["before"].each(), reminders["after"].each()
    if not due.is_given and (before or after or reminders["then_every"].is_given or reminders["escalate"].each()):
        yield reminders.warning("a duty without a due date is never reminded of; these settings do nothing")
    yield from id_checks.find_duplicates(before, Severity.WARNING)
    yield from id_checks.find_duplicates(after, Severity.WARNING)
    for step in before:
        if _points_forward(step, at_least=1) is False:
            yield step.finding(f"{step.text} is not before the due instant; a reminder comes before what it reminds of")
    for step in (*after, *(one["after"] for one in reminders["escalate"].each())):
        if _points_forward(step, at_least=0) is False:
            yield step.finding(f"{step.text} falls before the due instant; an urging comes after it")
    yield from _check_repetition(reminders)
    yield from id_checks.find_duplicates(reminders["notices"].each(), Severity.WARNING)


def _check_repetition(reminders: Node) -> Iterator[Finding]:
    """Yield what is wrong with `then_every` and its bound."""
    at_most = reminders["at_most"]
    if at_most.is_given and not reminders["then_every"].is_given:
        yield at_most.warning("it bounds the repetitions of `then_every`, which is not given")
    if _points_forward(reminders["then_every"], at_least=1) is False:
        yield reminders["then_every"].finding(
            "an interval that does not go forward would urge for ever; write P7D for weekly"
        )
    elif _is_too_short(reminders["then_every"]):
        yield reminders["then_every"].finding("urging more than once an hour helps nobody; write P7D for weekly")


def _points_forward(duration: Node, *, at_least: int) -> bool | None:
    """Whether the sign of *duration* (-1, 0, 1) is at least *at_least*; None if it is no duration."""
    try:
        return values.find_sign(duration.text) >= at_least
    except ValueError:
        return None


def _is_too_short(interval: Node) -> bool:
    """Whether *interval* is a duration, and too short between two urgings."""
    try:
        return not values.is_interval(interval.text)
    except ValueError:
        return False  # no duration, which the models report


def _check_registry_id(named: Node, registry: Node) -> Iterator[Finding]:
    if named.text and registry.text and named.text != registry.text:
        yield named.finding(f"the registry beside this plan is {registry.text!r}, not {named.text!r}")
