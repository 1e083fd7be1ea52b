"""Answers are kept for as long as they hold, and not more of them than there is room for."""

from services.reporting.current.answer_memo import AnswerMemo


def test_an_answer_holds_for_what_it_rests_on_alone() -> None:
    """Under another basis there is none, and those made before are still at hand to make the next from."""
    memo = AnswerMemo[str]()
    memo.keep("list", 1, "old", size=1)
    assert (memo.find("list", 1), memo.find("list", 2), memo.find("report", 1)) == ("old", None, None)
    assert memo.list_kept("list") == ["old"]
    memo.keep("list", 2, "new", size=1)
    assert (memo.find("list", 1), memo.find("list", 2), memo.list_kept("list")) == ("old", "new", ["new", "old"])


def test_two_instants_of_one_question_are_kept_and_a_third_takes_the_place_of_the_first() -> None:
    """Whoever compares two instants asks for both again; every further answer would only fill the memory."""
    memo = AnswerMemo[str]()
    for basis in (1, 2, 1, 3):
        memo.keep("list", basis, str(basis), size=1)
    assert [memo.find("list", basis) for basis in (1, 2, 3)] == ["1", None, "3"]


def test_the_answer_that_was_not_asked_for_longest_goes_first() -> None:
    """An answer in place of another frees the room of that one."""
    memo = AnswerMemo[str](size_max=10)
    memo.keep("a", 1, "A", size=4)
    memo.keep("b", 1, "B", size=4)
    memo.keep("b", 1, "B", size=5)
    assert memo.find("a", 1) == "A"
    memo.keep("c", 1, "C", size=3)
    assert [memo.list_kept(question) for question in "abc"] == [["A"], [], ["C"]]


def test_an_answer_that_is_too_large_is_not_kept() -> None:
    """It would push out everything else, and then be alone."""
    memo = AnswerMemo[str](size_max=10)
    memo.keep("all", 1, "everything", size=11)
    assert not memo.list_kept("all")
    memo.keep("a", 1, "A", size=10)
    assert memo.find("a", 1) == "A"
