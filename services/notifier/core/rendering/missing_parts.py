"""What a report lacks, read from the names that rules gives it.

They are the places under `requires` in the plan: `sections.x`, `indicators.x`, `attachments`, `signed`, `checks.x`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from schemas.plan.plan import Obligation, Requirements
from services.notifier.core.scheduling.routing import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class LackingSection:
    """A section without text."""

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LackingIndicator:
    """A figure that is not given, or out of its range (both ends included)."""

    title: str
    unit: str | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LackingAttachments:
    """Fewer fitting files than asked for."""

    least: int
    media_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LackingSignature:
    """Nobody signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCheck:
    """A condition that does not hold, in the plan's own words."""

    message: str


Lack = LackingSection | LackingIndicator | LackingAttachments | LackingSignature | FailedCheck


def lacks(missing: Iterable[str], obligation: Obligation, *, on: date, language: Language) -> tuple[Lack, ...]:
    """Return what *missing* names under the version of *obligation* in force on the local date *on*.

    A name that this version does not know is told as a section, so that nothing missing is kept silent.
    """
    versions = [one for one in obligation.versions if one.in_force_on(on)] or [obligation.versions[-1]]
    requires = versions[0].requires
    return tuple(_lack(*name.partition("."), requires, language) for name in missing)


def _lack(part: str, _dot: str, name: str, requires: Requirements, language: Language) -> Lack:
    match part:
        case "sections":
            return _section(name, requires, language)
        case "indicators":
            return _indicator(name, requires, language)
        case "attachments":
            return LackingAttachments(least=requires.attachments.min, media_types=requires.attachments.media_types)
        case "signed":
            return LackingSignature()
        case "checks":
            check = next((one for one in requires.checks if one.id == name), None)
            return FailedCheck(message=check.message.in_language(language) if check else name)
        case _:
            return LackingSection(title=name or part)


def _section(section: str, requires: Requirements, language: Language) -> LackingSection:
    wanted = next((one for one in requires.sections if one.id == section), None)
    return LackingSection(title=wanted.label_in(language) if wanted else section)


def _indicator(code: str, requires: Requirements, language: Language) -> LackingIndicator:
    wanted = next((one for one in requires.indicators if one.code == code), None)
    if wanted is None:
        return LackingIndicator(title=code, unit=None, low=None, high=None)
    return LackingIndicator(title=wanted.label_in(language), unit=wanted.unit, low=wanted.min, high=wanted.max)
