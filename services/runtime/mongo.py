"""Open the database driver, and decide which of its errors a retry can heal.

Stores and ledgers take the client that `connect` returns. Writes are acknowledged by the majority and journalled: an
acknowledged write survives a kill -9 of the database and the election of another primary. Reads see only what the
majority holds. Otherwise a store that repeats a write whose write concern failed could find its own write in place,
commit its batch, and lose the write when the primary steps down.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    CursorNotFound,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

# A restart of the database takes about two seconds; longer waits belong to the caller's retry.
SELECTION_TIMEOUT_MS = 5_000

OPTIONS: Mapping[str, Any] = {
    "tz_aware": True,
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "serverSelectionTimeoutMS": SELECTION_TIMEOUT_MS,
}

DUPLICATE_KEY = 11000

_RETRYABLE_LABELS = ("RetryableWriteError", "TransientTransactionError", "UnknownTransactionCommitResult")
_RETRYABLE_CODES = frozenset(
    {
        *(6, 7, 89, 9001),  # HostUnreachable, HostNotFound, NetworkTimeout, SocketException
        *(91, 189, 10107, 13435, 13436),  # ShutdownInProgress, PrimarySteppedDown, NotWritablePrimary and its kin
        *(11600, 11601, 11602),  # InterruptedAtShutdown, Interrupted, InterruptedDueToReplStateChange
        *(24, 50, 112, 134, 237, 251, 262, 290),  # LockTimeout, MaxTimeMSExpired, WriteConflict and other time-outs
        *(43, 175, 133),  # CursorNotFound, QueryPlanKilled, FailedToSatisfyReadPreference
        *(211, 239, 246, 276),  # KeyNotFound (of cluster time), snapshots and index builds that a restart took away
        *(215, 12587),  # DatabaseDropPending, BackgroundOperationInProgressForNamespace: somebody drops what is used
        14031,  # OutOfDiskSpace: the same write succeeds once there is space
    }
)
"""Server errors that say that the node stops, steps down, restarts, was too slow or is full (error_codes.yml)."""


def connect(url: str) -> AsyncIOMotorClient[dict[str, Any]]:
    """Return a client for *url*. It connects at the first use and returns times with an offset.

    It is open until the process ends: closing it would ask the server to end its sessions, and hold up the event loop
    while the server hangs.
    """
    return AsyncIOMotorClient(url, **OPTIONS)


async def resolve(found: Any) -> Any:  # noqa: ANN401 - what either driver returns
    """Return what a driver gives at once, or as something to await: Motor and PyMongo's own asynchronous client differ.

    Cursors of aggregations, change streams, sessions and transactions are meant. Nothing else of the drivers differs in
    what the stores use, so that they work with either (decision 45).
    """
    return await found if isinstance(found, Awaitable) else found


async def is_answering(client: AsyncIOMotorClient[dict[str, Any]]) -> bool:
    """Whether the database answers a ping; raise the driver's error if it refuses this client."""
    try:
        answer = await client.admin.command("ping")
    except PyMongoError as cause:
        if is_retryable(cause):
            return False
        raise
    return bool(answer.get("ok"))


def is_retryable(error: PyMongoError) -> bool:
    """Whether *error* passes by itself: the same operation may succeed once the database has a primary again.

    That is so of a lost connection, of every failed write concern, and of a node that stops, steps down or times out.
    Of a bulk write it is also so if only some of its writes failed like that. The others are judged when the bulk is
    repeated.
    """
    if isinstance(error, ConnectionFailure | WriteConcernError | ExecutionTimeout | CursorNotFound):
        return True
    if any(error.has_error_label(label) for label in _RETRYABLE_LABELS):
        return True
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        # A bulk write reports a failed write concern beside its writes, and not as a `WriteConcernError`.
        return bool(details.get("writeConcernErrors")) or any(
            one.get("code") in _RETRYABLE_CODES for one in details.get("writeErrors", ())
        )
    return isinstance(error, OperationFailure) and error.code in _RETRYABLE_CODES


def has_only_duplicates(error: BulkWriteError) -> bool:
    """Whether every write that failed met its own key in the database, and all others are acknowledged."""
    details = error.details or {}
    errors = details.get("writeErrors") or ()
    return (
        bool(errors)
        and all(one.get("code") == DUPLICATE_KEY for one in errors)
        and not details.get("writeConcernErrors")
    )


@asynccontextmanager
async def translate_errors(
    *, unavailable: type[Exception], refused: type[Exception] | None = None
) -> AsyncIterator[None]:
    """Raise *unavailable* in place of a driver's error that a retry can heal, and *refused* in place of any other.

    Without *refused* the driver's own error is raised.
    """
    try:
        yield
    except PyMongoError as cause:
        if is_retryable(cause):
            raise unavailable(type(cause).__name__) from cause
        if refused is None:
            raise
        raise refused(str(cause)) from cause
