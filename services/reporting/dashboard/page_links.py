"""The addresses of pages, without the parameters that every link passes on."""

from urllib.parse import quote

from schemas.events.ids import DutyKey

NO_PERIOD = "-"  # in a path


def duty_path(key: DutyKey) -> str:
    """Return the address of the page of a duty."""
    return "/duties/" + "/".join(map(_quote, (key.plan, key.agency, key.obligation, key.period or NO_PERIOD)))


def agency_path(agency: str) -> str:
    """Return the address of the page of an agency."""
    return f"/agencies/{_quote(agency)}"


def compiled_path(plan: str, agency: str, period: str) -> str:
    """Return the address of the page of what an agency compiles for a period."""
    return "/compiled/" + "/".join(map(_quote, (plan, agency, period)))


def event_path(event: str) -> str:
    """Return the address of the page of an event, by its id or by that of its receipt."""
    return f"/events/{_quote(event)}"


def plan_path(plan: str) -> str:
    """Return the address of the page of a plan."""
    return f"/plans/{_quote(plan)}"


def registry_path(registry: str) -> str:
    """Return the address of the page of a registry."""
    return f"/registries/{_quote(registry)}"


def _quote(part: str) -> str:
    return quote(part, safe="")
