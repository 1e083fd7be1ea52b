"""Open the database driver. Stores and ledgers take the client that `connect` returns.

Writes are acknowledged by the majority and journalled: an acknowledged write survives a kill -9 of the database.
"""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

# A restart of the database takes about two seconds; longer waits belong to the caller's retry.
SELECTION_TIMEOUT_MS = 5_000


def connect(url: str) -> AsyncIOMotorClient[dict[str, Any]]:
    """Return a client for *url*. It connects at the first use and returns times with an offset."""
    return AsyncIOMotorClient(
        url,
        tz_aware=True,
        w="majority",
        journal=True,
        serverSelectionTimeoutMS=SELECTION_TIMEOUT_MS,
    )


async def is_answering(client: AsyncIOMotorClient[dict[str, Any]]) -> bool:
    """Whether the database answers a ping."""
    answer = await client.admin.command("ping")
    return bool(answer.get("ok"))
