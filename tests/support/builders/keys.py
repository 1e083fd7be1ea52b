"""API keys and their scopes."""

from datetime import UTC, datetime
from typing import Any

from services.intake.core.scopes import ApiKey, KeyScope, SourceScope


def a_scope(*sources: str, **changes: Any) -> KeyScope:
    """A scope of every agency, type and unnamed source, or of *sources*, without decisions, reviews and proofs."""
    scope: dict[str, Any] = {
        "agencies": frozenset("*"),
        "groups": frozenset(),
        "types": frozenset("*"),
        "sources": SourceScope(names=frozenset(sources or ("*",))),
    }
    return KeyScope(**{**scope, **changes})


def a_key(key_id: str = "k-1", *sources: str, **changes: Any) -> ApiKey:
    """A key of a system of the same name that covers *sources* and never ends."""
    key: dict[str, Any] = {
        "id": key_id,
        "system": key_id,
        "sha256": "0" * 64,
        "scope": a_scope(*sources),
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return ApiKey(**{**key, **changes})
