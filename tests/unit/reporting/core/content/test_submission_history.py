"""The history of a submission: what it corrects, what corrects it, what was done about it, and where it counts."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.core.content.submission_history import DocketFact, SubmissionHistory, trace_submission

RECEIVED = datetime(2024, 12, 1, tzinfo=UTC)
SOURCE = "urn:a"


def a_fact(event: str, minute: int = 0, **changes: Any) -> DocketFact:
    """Return a submission for 2024, received at that minute."""
    fields: dict[str, Any] = {
        "identity": (SOURCE, event),
        "type": "submitted",
        "receiptid": f"r-{event}",
        "received_at": RECEIVED + timedelta(minutes=minute),
        "recorded_at": RECEIVED + timedelta(minutes=minute),
        "period": "2024",
        "is_submission": True,
    }
    return DocketFact(**fields | changes)


def an_act(event: str, minute: int, names: str, **changes: Any) -> DocketFact:
    """Return a fact about the submission that it names."""
    return a_fact(event, minute, names=names, **{"type": "withdrawn", "is_submission": False, **changes})


def a_move(event: str, minute: int, names: str, *, from_: str, to: str) -> DocketFact:
    """Return the reassignment of a submission."""
    return an_act(event, minute, names, is_reassignment=True, from_period=from_, to_period=to)


def trace(event: str, *docket: DocketFact) -> SubmissionHistory:
    """Return the history of a submission of the usual source."""
    return trace_submission((SOURCE, event), docket)


def names_of(*facts: DocketFact | None) -> list[str]:
    """Return the ids of the events."""
    return [one.identity[1] for one in facts if one is not None]


def test_corrections_and_acts_are_told_in_order_of_receipt() -> None:
    """Of the submission itself what it corrects; of others what they do to it."""
    docket = (
        a_fact("s-1"),
        a_fact("s-2", 1, names="s-1"),
        an_act("w-1", 3, "s-2"),
        a_fact("s-3", 2, names="s-2"),
        an_act("w-2", 4, "s-1"),
    )
    history = trace("s-2", *docket)
    assert names_of(history.corrects) == ["s-1"]
    assert names_of(*history.corrected_by) == ["s-3"]
    assert names_of(*history.acts) == ["w-1"]


def test_an_id_means_the_submission_of_the_same_source_first() -> None:
    """Ids are unique only within a source; where the own one has none, the first of any other is meant."""
    other = a_fact("s-1", 1, identity=("urn:b", "s-1"))
    same = an_act("w-1", 2, "s-1", identity=("urn:b", "w-1"))
    assert names_of(*trace("s-1", a_fact("s-1"), other, same).acts) == []
    foreign = an_act("w-1", 2, "s-1", identity=("urn:c", "w-1"))
    assert names_of(*trace("s-1", a_fact("s-1"), other, foreign).acts) == ["w-1"]


def test_a_correction_of_another_period_stands_alone() -> None:
    """Once its target is moved to the same period both belong together (ruling 13)."""
    docket = (a_fact("s-1", period="2023"), a_fact("s-2", 1, names="s-1"))
    assert trace("s-2", *docket).corrects is None
    moved = trace("s-2", *docket, a_move("m-1", 2, "s-1", from_="2023", to="2024"))
    assert names_of(moved.corrects) == ["s-1"]


def test_a_submission_counts_where_it_was_moved_to_last() -> None:
    """A move from a period in which it is not moves nothing."""
    moves = (
        a_move("m-1", 1, "s-1", from_="2024", to="2023"),
        a_move("m-2", 2, "s-1", from_="2024", to="2022"),
        a_move("m-3", 3, "s-1", from_="2023", to="2021"),
    )
    history = trace("s-1", a_fact("s-1"), *moves)
    assert history.period == "2021"
    assert names_of(*history.acts) == ["m-1", "m-2", "m-3"]


def test_a_submission_that_is_not_in_the_docket_has_no_history() -> None:
    """Whoever asks has it in hand and passes it along."""
    with pytest.raises(KeyError):
        trace("s-1")


DOCKET = [
    a_fact("s-1"),
    a_fact("s-2", 1, names="s-1"),
    a_fact("s-2", 5, names="s-3"),  # another content under the same identity: the first recorded counts
    an_act("w-1", 3, "s-2"),
    a_move("m-1", 4, "s-1", from_="2024", to="2023"),
]


@given(order=st.randoms(use_true_random=False), repeated=st.lists(st.sampled_from(DOCKET)))
def test_order_and_repetition_change_nothing(order: random.Random, repeated: list[DocketFact]) -> None:
    """The history is a function of the set of facts."""
    docket = [*DOCKET, *repeated]
    order.shuffle(docket)
    assert trace("s-2", *docket) == trace("s-2", *DOCKET)
