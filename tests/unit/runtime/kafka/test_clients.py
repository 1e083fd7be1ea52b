"""What the broker denies a user is said with the operation and the resource."""

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from services.runtime.kafka.clients import explain_denial


@pytest.mark.parametrize(
    ("error", "right"),
    [
        (TopicAuthorizationFailedError("dondoc.facts.v1"), "Read on topic dondoc.facts.v1"),
        (TopicAuthorizationFailedError({"b", "a"}), "Read on topic a, b"),
        (GroupAuthorizationFailedError("dondoc-rules"), "Read on group dondoc-rules"),
        (TransactionalIdAuthorizationFailed("dondoc-rules-1"), "Write on transactional id dondoc-rules-1"),
        (ClusterAuthorizationFailedError(), "an operation on the cluster"),
        (GroupAuthorizationFailedError(), "Read on group (not named)"),
    ],
)
def test_a_denial_names_the_right_and_where_it_is_given(error: KafkaError, right: str) -> None:
    """Operation, kind and name of the resource, and the page with the rights."""
    told = explain_denial(error)
    assert told is not None
    assert told.startswith(f"the broker denies this user {right}; docs/reference/acls.md")


def test_a_write_that_was_denied_is_told_as_one() -> None:
    """The broker names only the topic; who wrote to it knows that it was a write."""
    told = explain_denial(TopicAuthorizationFailedError("dondoc.verdicts.v1"), on_topic="Write")
    assert told is not None
    assert "Write on topic dondoc.verdicts.v1" in told


def test_another_error_is_no_denial() -> None:
    """A broker that is away has denied nothing."""
    assert explain_denial(KafkaConnectionError("away")) is None
