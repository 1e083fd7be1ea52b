"""A memo of answers: each holds while the data that it was computed from stay the same. Its size is bounded."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

# A line takes one to two kilobytes. A season and the one before in two languages, and ten years once, have as many.
LINES_KEPT_MAX = 160_000
# The same question about two instants: a page that compares them asks for both again and again.
BASES_KEPT_MAX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptAnswer(Generic[Answer]):
    answer: Answer
    size: int


class AnswerMemo(Generic[Answer]):
    """The newest answers to each question, two unless told otherwise. What was not asked for longest goes first.

    The *basis* is everything that an answer rests on besides the question itself.
    """

    def __init__(self, size_max: int = LINES_KEPT_MAX, *, bases_max: int = BASES_KEPT_MAX) -> None:
        self._size_max = size_max
        self._bases_max = bases_max
        self._answers: OrderedDict[tuple[Hashable, Hashable], _KeptAnswer[Answer]] = OrderedDict()
        self._bases: dict[Hashable, list[Hashable]] = {}
        self._size = 0

    def find(self, question: Hashable, basis: Hashable) -> Answer | None:
        """Return the answer to *question* if it rests on the same *basis*, else None."""
        kept = self._answers.get((question, basis))
        if kept is None:
            return None
        self._answers.move_to_end((question, basis))
        return kept.answer

    def list_kept(self, question: Hashable) -> Sequence[Answer]:
        """Return the kept answers to *question*, whatever they rest on, the newest first: one may lead to the next."""
        return [self._answers[question, basis].answer for basis in reversed(self._bases.get(question, []))]

    def keep(self, question: Hashable, basis: Hashable, answer: Answer, *, size: int) -> None:
        """Keep *answer*, which is of that *size*, in place of the oldest to the same question if there are enough.

        An answer that is larger than the whole memo may be is not stored.
        """
        bases = self._bases.setdefault(question, [])
        if basis in bases:
            self._drop(question, basis)
            bases = self._bases.setdefault(question, [])
        elif len(bases) == self._bases_max:
            self._drop(question, bases[0])
        bases.append(basis)
        self._answers[question, basis] = _KeptAnswer(answer=answer, size=size)
        self._size += size
        while self._size > self._size_max:
            self._drop(*next(iter(self._answers)))

    def _drop(self, question: Hashable, basis: Hashable) -> None:
        self._size -= self._answers.pop((question, basis)).size
        bases = self._bases[question]
        bases.remove(basis)
        if not bases:
            del self._bases[question]
