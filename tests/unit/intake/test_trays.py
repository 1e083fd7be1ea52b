"""Trays: what one side lays the other reads, nobody gets a tray that is in use, and what does not fit is told."""

from collections.abc import Iterator

import pytest

from services.intake.workers import shared_memory
from services.intake.workers.shared_memory import SHORT_BYTES, TRAY_BYTES, TRAYS, Laid, Trays

LONG = b"x" * (SHORT_BYTES + 1)


@pytest.fixture
def sides() -> Iterator[tuple[Trays, Trays]]:
    """Intake's side and the clerk's."""
    with shared_memory.new_memory() as memory:
        yield Trays(memory.fileno()), Trays(memory.fileno())


def laid(side: Trays, content: bytes) -> Laid:
    """Where *content* was laid."""
    found = side.lay(content)
    assert found is not None
    return found


def test_the_other_side_reads_what_was_laid_and_answers_in_its_place(sides: tuple[Trays, Trays]) -> None:
    """And what lies in the trays beside it stays."""
    intake, clerk = sides
    first, second = laid(intake, b"a" + LONG), laid(intake, b"b" + LONG)
    assert [bytes(clerk.content(one)) for one in (first, second)] == [b"a" + LONG, b"b" + LONG]
    answer = clerk.replace(first, b"c" * TRAY_BYTES)
    assert answer is not None
    assert bytes(intake.content(answer)) == b"c" * TRAY_BYTES
    assert bytes(intake.content(second)) == b"b" + LONG


def test_no_tray_is_laid_twice_until_it_is_given_back(sides: tuple[Trays, Trays]) -> None:
    """When all are in use there is none."""
    intake, _ = sides
    taken = [laid(intake, LONG) for _ in range(TRAYS)]
    assert len({one.tray for one in taken}) == TRAYS
    assert intake.lay(LONG) is None
    intake.give_back(taken[3])
    assert laid(intake, LONG).tray == taken[3].tray


@pytest.mark.parametrize("content", [b"", b"x" * SHORT_BYTES, b"x" * (TRAY_BYTES + 1)], ids=["none", "short", "long"])
def test_what_does_not_belong_in_a_tray_takes_none(sides: tuple[Trays, Trays], content: bytes) -> None:
    """Neither side lays it."""
    intake, clerk = sides
    where = laid(intake, LONG)
    assert intake.lay(content) is None
    assert clerk.replace(where, content) is None
    assert bytes(clerk.content(where)) == LONG
    assert len([laid(intake, LONG) for _ in range(TRAYS - 1)]) == TRAYS - 1
