"""Makes a key for each upstream system of the scenario, which may claim what that system can vouch for and no more."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from services.console.demo.scenario import UpstreamSystem
from services.console.support import seeding
from services.intake.core.scopes import NO_PROOF, WILDCARD, KeyScope, SourceScope


def create_keys(systems: Iterable[UpstreamSystem], keys: Path, now: datetime) -> Mapping[str, str]:
    """Enter a key for each of *systems* into the file *keys*; return the bearer key of each source."""
    return {
        one.source: seeding.load_or_create_key(f"demo-{one.name}", keys, _scope_of(one), now=now) for one in systems
    }


def _scope_of(system: UpstreamSystem) -> KeyScope:
    return KeyScope(
        agencies=frozenset({WILDCARD}),
        groups=frozenset(),
        types=frozenset({WILDCARD}),
        sources=SourceScope(names=frozenset({system.source})),
        proofs=frozenset({system.proof}) - {NO_PROOF},
        may_decide=system.posts_decisions,
        may_review=system.posts_reviews,
    )
