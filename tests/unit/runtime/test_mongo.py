"""Which errors of the database driver a retry can heal, kind by kind, and what the stores raise instead of them."""

from typing import Any

import pytest
from pymongo import errors
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

from services.runtime import mongo

SHUTDOWN = {"code": 91, "errmsg": "Replication is being shut down"}
DUPLICATE = {"index": 0, "code": mongo.DUPLICATE_KEY, "errmsg": "E11000 duplicate key error"}
TOO_LARGE = {"index": 0, "code": 10334, "errmsg": "BSONObjectTooLarge"}
INTERRUPTIONS = (91, 189, 11600, 11601, 11602, 10107, 13436, 112, 134, 211)
STEPPED_DOWN = {"index": 0, "code": 11602, "errmsg": "operation was interrupted"}


class UnavailableError(Exception):
    """What a store raises where trying again may help."""


class RefusedError(Exception):
    """What a store raises where it cannot."""


def bulk(*write_errors: dict[str, Any], concerns: tuple[dict[str, Any], ...] = ()) -> BulkWriteError:
    """Return the error of a bulk write with these write errors and failed write concerns."""
    return BulkWriteError({"writeErrors": list(write_errors), "writeConcernErrors": list(concerns), "nInserted": 0})


def labelled(label: str) -> OperationFailure:
    """Return a refused command that the server has marked with *label*."""
    return OperationFailure("refused", 5, {"errorLabels": [label]})


@pytest.mark.parametrize(
    "error",
    [
        errors.AutoReconnect("connection closed"),
        errors.NotPrimaryError("not primary", {"code": 10107}),
        errors.NetworkTimeout("timed out"),
        errors.ServerSelectionTimeoutError("no primary"),
        errors.WaitQueueTimeoutError("no connection in time"),
        errors.WriteConcernError("not replicated", 64),
        errors.WriteConcernError("shutting down", 91, SHUTDOWN),
        errors.WTimeoutError("waiting for replication timed out", 64),
        errors.ExecutionTimeout("operation exceeded time limit", 50),
        errors.CursorNotFound("cursor id not found", 43),
        *(OperationFailure("interrupted", code) for code in INTERRUPTIONS),
        OperationFailure("no space left on device", 14031),
        OperationFailure("database is in the process of being dropped", 215),
        labelled("RetryableWriteError"),
        labelled("TransientTransactionError"),
        labelled("UnknownTransactionCommitResult"),
        bulk(concerns=(SHUTDOWN,)),
        bulk(DUPLICATE, concerns=(SHUTDOWN,)),
        bulk(TOO_LARGE, concerns=(SHUTDOWN,)),
        bulk(DUPLICATE, STEPPED_DOWN),
    ],
    ids=repr,
)
async def test_an_error_of_a_server_that_stops_steps_down_or_is_away_is_tried_again(error: PyMongoError) -> None:
    """A lost connection, a failed write concern, a step-down and an interruption are retryable, in a bulk write too."""
    assert mongo.is_retryable(error)
    with pytest.raises(UnavailableError, match=type(error).__name__):
        async with mongo.translate_errors(unavailable=UnavailableError, refused=RefusedError):
            raise error


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("not authorized", 13),
        OperationFailure("authentication failed", 18),
        errors.DuplicateKeyError("E11000", mongo.DUPLICATE_KEY),
        errors.WriteError("document too large", 10334),
        errors.ConfigurationError("no such option"),
        errors.InvalidOperation("client is closed"),
        bulk(DUPLICATE),
        bulk(TOO_LARGE),
        bulk(DUPLICATE, TOO_LARGE),
    ],
    ids=repr,
)
async def test_an_error_that_would_come_again_is_not_tried_again(error: PyMongoError) -> None:
    """A refusal of the operation itself is raised as such, or as the driver's own error."""
    assert not mongo.is_retryable(error)
    with pytest.raises(RefusedError):
        async with mongo.translate_errors(unavailable=UnavailableError, refused=RefusedError):
            raise error
    with pytest.raises(type(error)):
        async with mongo.translate_errors(unavailable=UnavailableError):
            raise error


def test_duplicates_count_as_stored_only_where_every_write_is_acknowledged() -> None:
    """Duplicates beside a failed write concern prove nothing: the other documents may be rolled back."""
    assert mongo.has_only_duplicates(bulk(DUPLICATE, DUPLICATE))
    assert not mongo.has_only_duplicates(bulk(DUPLICATE, concerns=(SHUTDOWN,)))
    assert not mongo.has_only_duplicates(bulk(DUPLICATE, TOO_LARGE))
    assert not mongo.has_only_duplicates(bulk(concerns=(SHUTDOWN,)))
