"""Answers are kept for as long as they hold, and not more of them than there is room for."""

from services.reporting.current.answer_memo import AnswerMemo


def test_an_answer_holds_for_what_it_rests_on_alone() -> None:
    """Under another basis there is none, and the one that was made last is still at hand to make the next from it."""
    memo = AnswerMemo[str]()
    memo.keep("list", 1, "old", lines=1)
    assert (memo.find("list", 1), memo.find("list", 2), memo.find("report", 1)) == ("old", None, None)
    assert memo.find_last("list") == "old"
    memo.keep("list", 2, "new", lines=1)
    assert (memo.find("list", 1), memo.find("list", 2)) == (None, "new")


def test_the_answer_that_was_not_asked_for_longest_goes_first() -> None:
    """Room is counted in lines; an answer in place of another frees the room of that one."""
    memo = AnswerMemo[str](lines_max=10)
    memo.keep("a", 1, "A", lines=4)
    memo.keep("b", 1, "B", lines=4)
    memo.keep("b", 2, "B", lines=5)
    assert memo.find("a", 1) == "A"
    memo.keep("c", 1, "C", lines=3)
    assert [memo.find_last(question) for question in "abc"] == ["A", None, "C"]


def test_an_answer_that_is_too_large_is_not_kept() -> None:
    """It would push out everything else, and then be alone."""
    memo = AnswerMemo[str](lines_max=10)
    memo.keep("all", 1, "everything", lines=11)
    assert memo.find_last("all") is None
    memo.keep("a", 1, "A", lines=10)
    assert memo.find("a", 1) == "A"
