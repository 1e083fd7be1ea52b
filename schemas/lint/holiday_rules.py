"""Rules for the days that offices work: which years of a plan nobody has compared with the Government's decisions."""

from collections.abc import Iterator
from datetime import date

from schemas.lint.diagnostics import Finding
from schemas.lint.document_tree import Node


def check_confirmed_years(plan: Node, registry: Node, today: date) -> Iterator[Finding]:
    """Yield a warning at *registry* if it does not confirm the swapped days of all years of *plan* up to *today*.

    Days are swapped by a decision of each year, often in its last weeks of the year before. Later years are decided
    later, so a plan without end is asked about none of them.
    """
    confirmed = registry["holidays_confirmed"]
    known = {one.number for one in confirmed.each()}
    open_years = [year for year in _list_years(plan, today) if year not in known]
    if open_years:
        yield confirmed.warning(
            f"nobody has confirmed the swapped days of {', '.join(map(str, open_years))}; compare them with the "
            "Government's decisions, put differences into `holidays` and `working_days`, and add the years here"
        )


def _list_years(plan: Node, today: date) -> range:
    """Return the years in which *plan* dates duties: from its first one to this year, or to the end of the last one."""
    versions = [one for obligation in plan["obligations"].each() for one in obligation["versions"].each()]
    dated = [one for one in versions if one["due"].is_given and one["from"].day is not None]
    begins = [one["from"].day for one in dated if one["from"].day is not None]
    if not begins:
        return range(0)
    bounds = [day for day in (plan["issued_on"].day, plan["tracked_from"].day) if day is not None]
    first = max(min(begins), *bounds) if bounds else min(begins)
    ends = [one["to"].day or date.max for one in dated]
    last = max(first.year, min(max(ends).year, today.year))
    return range(first.year, last + 1)
