"""The scenario of a demo: the posts of one plan and year, the contacts, and what the system must answer in the end.

`plan_6766` and `any_plan` decide which agency does what. How it is posted, and how fast, is not known here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from schemas.events import facts
from services.notifier.core.scheduling.routing import Contact

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSystem:
    """A system that posts to intake, and the proof it can give of the instant of dispatch.

    One that posts decisions or reviews, and no reports, has no proof to give.
    """

    name: str
    source: str
    proof: facts.Proof = "none"
    posts_decisions: bool = False
    posts_reviews: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPost:
    """An event and the instant at which it is posted."""

    at: datetime
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioComparison:
    """What was compared, in words, and a sentence for each difference.

    `results` holds the documents of consolidated figures by period.
    """

    compared: Sequence[str]
    differences: Sequence[str]
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(ABC):
    """The events of earlier years, and the posts of `year` in order, from `begins_at` to `ends_at`.

    `pages` are the paths of the screenshots by file name. The progress view counts the statuses of `counted`, pairs of
    an obligation and a period. `max_step` bounds how far the clock moves at once; None lets it go straight to the next
    post or alert.
    """

    plan: str
    year: str
    headline: str
    begins_at: datetime
    ends_at: datetime
    archive: tuple[Event, ...] = ()
    posts: tuple[ScheduledPost, ...]
    upstream_systems: tuple[UpstreamSystem, ...]
    contacts: tuple[Contact, ...]
    pages: Mapping[str, str]
    counted: frozenset[tuple[str, str | None]]
    max_step: timedelta | None = None

    @abstractmethod
    def compare(self, reporting: httpx.Client, annual: Mapping[str, Any]) -> ScenarioComparison:
        """Compare what *reporting* answers, and the *annual* report, with the outcome that the scenario expects."""
