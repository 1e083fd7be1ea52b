"""Keep answers for as long as what they rest on is the same, up to a number of lines."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

# A line takes one to two kilobytes.
LINES_KEPT_MAX = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptAnswer(Generic[Answer]):
    basis: Hashable
    answer: Answer
    lines: int


class AnswerMemo(Generic[Answer]):
    """One answer for each question, the newest. The answer that was not asked for longest goes first.

    The *basis* is everything that an answer rests on besides the question itself.
    """

    def __init__(self, lines_max: int = LINES_KEPT_MAX) -> None:
        self._lines_max = lines_max
        self._answers: OrderedDict[Hashable, _KeptAnswer[Answer]] = OrderedDict()
        self._lines = 0

    def find(self, question: Hashable, basis: Hashable) -> Answer | None:
        """Return the answer to *question* if it rests on the same *basis*, else None."""
        kept = self._answers.get(question)
        if kept is None or kept.basis != basis:
            return None
        self._answers.move_to_end(question)
        return kept.answer

    def find_last(self, question: Hashable) -> Answer | None:
        """Return the answer to *question* whatever it rests on: the next one may be made from it."""
        kept = self._answers.get(question)
        return None if kept is None else kept.answer

    def keep(self, question: Hashable, basis: Hashable, answer: Answer, *, lines: int) -> None:
        """Keep *answer*, which holds so many *lines*, in place of an earlier one to the same question.

        One that alone has more lines than may be kept is not kept.
        """
        earlier = self._answers.pop(question, None)
        self._lines += lines - (earlier.lines if earlier else 0)
        self._answers[question] = _KeptAnswer(basis=basis, answer=answer, lines=lines)
        while self._lines > self._lines_max:
            _, oldest = self._answers.popitem(last=False)
            self._lines -= oldest.lines
